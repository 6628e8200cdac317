/*
title: Temperature before and after anakinra
question: Was the highest temperature lower after the last dose of anakinra than before the first?
reads: [lab_pair, cohort]
returns:
  patient_id: the patient
  before_value: {meaning: highest in the 24 hours up to the first dose, unit: Cel}
  after_value: {meaning: highest in the 24 hours after the last dose, unit: Cel}
  missing: the sides not found
empty: No patient of the cohort has an anakinra window.
statistics:
  - {kind: paired, test: paired_t, before: before_value, after: after_value, label: patient_id, missing: missing,
      unit: Cel, title: Highest temperature, published: F2A}
published: [F2A, F2-S]
*/
SELECT p.patient_id, p.before_value, p.after_value, p.missing
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
WHERE c.included AND p.window_number = 1 AND p.analyte = 'temperature'
ORDER BY p.patient_id
