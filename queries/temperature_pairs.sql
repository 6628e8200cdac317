/*
title: Temperature before and after anakinra
question: Was the highest temperature lower after the last dose of anakinra than before the first?
reads: [lab_pair, cohort, anakinra_window, tocilizumab_dose]
returns:
  patient_id: the patient
  before_value: {meaning: highest in the 24 hours up to the first dose, unit: Cel}
  after_value: {meaning: highest in the 24 hours after the last dose, unit: Cel}
  missing: which value is not there
  tocilizumab: whether a dose of tocilizumab was given in the 21 days up to the last dose of anakinra
section: results
order: 40
show: chart
empty: No patient of the cohort has an anakinra window, so there is no temperature around one.
caption: >
  One line a patient, from the highest temperature in the 24 hours up to the first dose of anakinra to the highest in
  the 24 hours after the last dose (Wehrli et al. 2022, Figure 2A). The test is the published one; what other tests say of the same pairs stands below.
chart:
  kind: pairs
  label: {column: patient_id, title: Patient}
  before: {column: before_value, title: 24 h before the first dose}
  after: {column: after_value, title: 24 h after the last dose}
  detail: {column: tocilizumab, title: Tocilizumab in the 21 days before}
  y: Highest temperature, °C
  rule: 38
  rule_title: fever, from 38.0 °C on
statistics:
  - {kind: paired, test: paired_t, before: before_value, after: after_value, label: patient_id, missing: missing,
      unit: Cel, beside: [wilcoxon, sign_test, hodges_lehmann, leave_one_out], title: Highest temperature,
      published: F2A}
published: [F2A, F2-S]
*/
SELECT p.patient_id, p.before_value, p.after_value,
    CASE p.missing WHEN 'before' THEN 'no reading before the first dose' WHEN 'after' THEN 'no reading after the last dose'
        WHEN 'before, after' THEN 'no reading on either side' END AS missing,
    -- Tocilizumab lowers a fever, too: whoever reads a fall must know that it was there.
    CASE WHEN EXISTS (
        FROM tocilizumab_dose AS t
        WHERE t.patient_id = p.patient_id AND t.time BETWEEN w.end_time - INTERVAL 21 DAY AND w.end_time
    ) THEN 'given' ELSE 'none recorded' END AS tocilizumab
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
JOIN anakinra_window AS w ON w.patient_id = p.patient_id AND w.number = p.window_number
WHERE c.included AND p.window_number = 1 AND p.analyte = 'temperature'
ORDER BY p.patient_id
