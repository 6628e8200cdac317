/*
title: CRP and ferritin after anakinra
question: How far did CRP and ferritin fall or rise after anakinra, and is the patient alive?
reads: [lab_pair, cohort, anakinra_window, outcome, tocilizumab_dose]
returns:
  patient_id: the patient
  analyte: what was measured
  panel: what was measured, in words
  before_value: last in the 48 hours up to the first dose
  after_value: value nearest to 24 hours after the last dose, within 48 hours
  percent_change: {meaning: change in percent of the value before, unit: "%"}
  direction: "whether it fell, rose or stayed"
  survival: alive or dead when last known
  missing: why there is no change
  tocilizumab: whether a dose of tocilizumab was given in the 21 days up to the last dose of anakinra
section: results
order: 60
show: chart
empty: No patient of the cohort has an anakinra window, so there is no CRP or ferritin around one.
caption: >
  One bar a patient, sorted: the change from the last value up to the first dose of anakinra to the value nearest to
  24 hours after the last dose, in percent (Wehrli et al. 2022, Figure 2D and 2E). Full colour: alive when last known. Pale: died.
  The paper does not test these; the tests below are of the ratio after to before, and tocilizumab lowers CRP by itself.
chart:
  kind: waterfall
  label: {column: patient_id, title: Patient}
  value: {column: percent_change, title: "Change, % of the value before"}
  panel: analyte
  words: panel
  colour: {column: survival, title: When last known}
  colours:
    alive: {colour: red, title: alive}
    dead: {colour: red, title: dead, pale: true}
  detail: {column: tocilizumab, title: Tocilizumab in the 21 days before}
  missing: missing
statistics:
  - {kind: counts, of: direction, by: analyte, words: panel, levels: [fell, stayed, rose], title: Direction of the change}
  - {kind: paired, test: ratio_t, before: before_value, after: after_value, by: analyte, words: panel,
      label: patient_id, missing: missing, beside: [wilcoxon, sign_test], title: After in folds of before}
published: [X-28, X-29, F2D, F2E]
*/
SELECT p.patient_id, p.analyte, CASE p.analyte WHEN 'crp' THEN 'CRP' ELSE 'Ferritin' END AS panel,
    p.before_value, p.after_value, p.percent_change,
    CASE WHEN p.percent_change < 0 THEN 'fell' WHEN p.percent_change > 0 THEN 'rose'
        WHEN p.percent_change = 0 THEN 'stayed' END AS direction,
    CASE WHEN o.died THEN 'dead' WHEN NOT o.died THEN 'alive' END AS survival,
    CASE WHEN p.percent_change IS NOT NULL THEN NULL
        WHEN p.complete THEN 'from a value of 0'
        ELSE concat_ws(' and ',
            CASE WHEN p.before_value IS NULL THEN 'no value before the first dose' END,
            CASE WHEN p.after_value IS NOT NULL THEN NULL
                WHEN o.death_time < w.end_time + INTERVAL 48 HOUR THEN 'died within two days of the last dose'
                ELSE 'no value after the last dose' END) END AS missing,
    CASE WHEN EXISTS (
        FROM tocilizumab_dose AS t
        WHERE t.patient_id = p.patient_id AND t.time BETWEEN w.end_time - INTERVAL 21 DAY AND w.end_time
    ) THEN 'given' ELSE 'none recorded' END AS tocilizumab
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
JOIN anakinra_window AS w ON w.patient_id = p.patient_id AND w.number = p.window_number
LEFT JOIN outcome AS o ON o.patient_id = p.patient_id
WHERE c.included AND p.window_number = 1 AND p.analyte IN ('crp', 'ferritin')
ORDER BY p.analyte, p.patient_id
