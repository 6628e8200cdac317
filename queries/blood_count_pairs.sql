/*
title: Blood counts before and three to four weeks after anakinra
question: Were neutrophils and platelets higher or lower three to four weeks after anakinra than before it?
reads: [lab_pair, cohort, anakinra_window, outcome, tocilizumab_dose]
params:
  earliest: {default: 22d, meaning: "earliest count after the last dose, as in rule lab_pair", unit: d}
returns:
  patient_id: the patient
  analyte: what was counted
  panel: what was counted, in words
  before_value: {meaning: last count in the 48 hours up to the first dose, unit: 10*9/L}
  after_value: {meaning: "count nearest to 28 days after the last dose, from 22 to 32 days", unit: 10*9/L}
  missing: why there is no pair
  tocilizumab: whether a dose of tocilizumab was given in the 21 days up to the last dose of anakinra
section: results
order: 50
show: chart
empty: No patient of the cohort has an anakinra window, so there are no counts around one.
caption: >
  One line a patient, from the last count up to the first dose of anakinra to the one nearest to 28 days after the last
  dose, from 22 to 32 days (Wehrli et al. 2022, Figure 2B). Only pairs are tested; a patient who died earlier has none.
  The paper's legend says n = 14 for both panels, its shares three to four weeks later are of nine patients.
chart:
  kind: pairs
  label: {column: patient_id, title: Patient}
  before: {column: before_value, title: before anakinra}
  after: {column: after_value, title: 3–4 weeks after}
  panel: analyte
  words: panel
  detail: {column: tocilizumab, title: Tocilizumab in the 21 days before}
  y: Cells, thousand/µL
statistics:
  - {kind: paired, test: paired_t, before: before_value, after: after_value, by: analyte, words: panel,
      label: patient_id, missing: missing, unit: 10*9/L, beside: [wilcoxon, sign_test, hodges_lehmann, leave_one_out],
      title: Blood counts}
published: [X-24, F2B-L, F2B-R, F2-S]
*/
SELECT p.patient_id, p.analyte,
    CASE p.analyte WHEN 'neutrophils' THEN 'Neutrophils' ELSE 'Platelets' END AS panel,
    p.before_value, p.after_value,
    CASE WHEN p.complete THEN NULL ELSE concat_ws(' and ',
        CASE WHEN p.before_value IS NULL THEN 'no count before the first dose' END,
        CASE WHEN p.after_value IS NOT NULL THEN NULL
            WHEN o.death_time < w.end_time + $earliest THEN 'died within three weeks of the last dose'
            WHEN o.last_time < w.end_time + $earliest THEN 'not followed for three weeks'
            ELSE 'alive three weeks after the last dose, not drawn' END) END AS missing,
    CASE WHEN EXISTS (
        FROM tocilizumab_dose AS t
        WHERE t.patient_id = p.patient_id AND t.time BETWEEN w.end_time - INTERVAL 21 DAY AND w.end_time
    ) THEN 'given' ELSE 'none recorded' END AS tocilizumab
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
JOIN anakinra_window AS w ON w.patient_id = p.patient_id AND w.number = p.window_number
LEFT JOIN outcome AS o ON o.patient_id = p.patient_id
WHERE c.included AND p.window_number = 1 AND p.analyte IN ('neutrophils', 'platelets')
ORDER BY p.analyte, p.patient_id
