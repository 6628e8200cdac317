/*
title: Blood counts before and three to four weeks after anakinra
question: Were neutrophils and platelets higher or lower three to four weeks after anakinra than before?
reads: [lab_pair, cohort]
returns:
  patient_id: the patient
  analyte: what was counted
  before_value: {meaning: last count up to the first dose, unit: 10*9/L}
  after_value: {meaning: count three to four weeks after the last dose, unit: 10*9/L}
  missing: the sides not found
empty: No patient of the cohort has an anakinra window.
statistics:
  - {kind: paired, test: paired_t, before: before_value, after: after_value, by: analyte, label: patient_id,
      missing: missing, unit: 10*9/L, title: Blood counts}
published: [X-24, F2B-L, F2B-R, F2-S]
*/
SELECT p.patient_id, p.analyte, p.before_value, p.after_value, p.missing
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
WHERE c.included AND p.window_number = 1 AND p.analyte IN ('neutrophils', 'platelets')
ORDER BY p.analyte, p.patient_id
