/*
title: Survival from the first dose of anakinra
question: How long did the patients of the cohort live from their first dose of anakinra at or after the infusion?
reads: [outcome, cohort]
params:
  month_days: {default: 30.4375, meaning: days in a month, unit: d}
returns:
  patient_id: the patient
  os_months: {meaning: months from the first dose to death or to the last sign of life, unit: mo}
  died: whether death was recorded
empty: No patient of the cohort has an outcome.
statistics:
  - {kind: survival, time: os_months, event: died, title: Overall survival from anakinra, unit: months, landmarks: [6, 12]}
published: [X-35, X-37, X-38, X-39]
*/
SELECT o.patient_id, (CAST(o.last_time AS DATE) - CAST(c.first_anakinra AS DATE)) / $month_days AS os_months, o.died
FROM outcome AS o
JOIN cohort AS c ON c.patient_id = o.patient_id
WHERE c.included
ORDER BY os_months, o.patient_id
