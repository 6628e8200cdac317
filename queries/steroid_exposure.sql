/*
title: Exposure to systemic steroids, all patients
question: When did each patient begin steroids, on how many days, and how much in all?
reads: [steroid_dose]
params:
  from_day: {default: 0, meaning: "first day counted, the infusion being day 0; doses of patients without an infusion always count", unit: d}
returns:
  patient_id: the patient
  doses: {meaning: administrations, unit: "1"}
  days: {meaning: calendar days with a dose, unit: d}
  first_day: {meaning: day of the first dose; empty without an infusion, unit: d}
  last_day: {meaning: day of the last dose, unit: d}
  dexamethasone_mg: {meaning: sum of the known dexamethasone equivalents; empty where none is known, unit: mg}
  doses_without_mg: {meaning: doses whose amount is not known, unit: "1"}
  highest_day_mg: {meaning: highest sum of one day, unit: mg}
section: results
order: 80
empty: No systemic steroid was given.
statistics:
  - {kind: median_range, of: first_day, title: First dose, unit: days after infusion}
  - {kind: median_range, of: days, title: Days with a dose, unit: days}
  - {kind: median_range, of: dexamethasone_mg, title: Cumulative dexamethasone equivalent, unit: mg}
*/
WITH daily AS (
    SELECT patient_id, CAST(time AS DATE) AS date, min(day) AS day, count(*) AS doses,
        count(dexamethasone_mg) AS known, sum(dexamethasone_mg ORDER BY number) AS mg
    FROM steroid_dose
    WHERE day IS NULL OR day >= $from_day
    GROUP BY patient_id, CAST(time AS DATE)
)
SELECT patient_id, sum(doses)::BIGINT AS doses, count(*) AS days, min(day) AS first_day, max(day) AS last_day,
    round(sum(mg ORDER BY date), 6) AS dexamethasone_mg, sum(doses - known)::BIGINT AS doses_without_mg,
    round(max(mg), 6) AS highest_day_mg
FROM daily
GROUP BY patient_id
ORDER BY patient_id
