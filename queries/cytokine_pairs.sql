/*
title: Cytokines before and after anakinra
question: Which cytokines were lower or higher after anakinra, in those with every sample?
reads: [cytokine_pair, cohort]
returns:
  patient_id: the patient
  analyte: the cytokine
  before_value: {meaning: last in the 48 hours before the first dose, unit: pg/mL}
  after_value: {meaning: first from 2 to 8 days after the last dose, unit: pg/mL}
empty: No patient of the cohort has every sample.
statistics:
  - {kind: paired, test: ratio_t, before: before_value, after: after_value, by: analyte, label: patient_id,
      unit: pg/mL, adjust: [holm], title: Cytokines, published: F3-04}
published: [X-31, X-32, F3-04]
*/
WITH pair AS (
    SELECT p.*, bool_and(p.complete) OVER (PARTITION BY p.patient_id) AS every_sample
    FROM cytokine_pair AS p
    JOIN cohort AS c ON c.patient_id = p.patient_id
    WHERE c.included AND p.window_number = 1
)
SELECT patient_id, analyte, before_value, after_value
FROM pair
WHERE every_sample
ORDER BY analyte, patient_id
