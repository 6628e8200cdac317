/*
title: Survival from the first dose of anakinra
question: How long did the patients of the cohort live from the first dose of anakinra, instead of from the infusion?
reads: [outcome, cohort, anakinra_window]
params:
  month_days: {default: 30.4375, meaning: days in a month, unit: d}
returns:
  patient_id: the patient
  anakinra_day: {meaning: "day of the first dose, the infusion being day 0", unit: d}
  days: {meaning: "days from the first dose to death or to the last sign of life; empty where the day of death is not known", unit: d}
  months: {meaning: the same in months, unit: mo}
  died: whether death was recorded
  missing: why there are no days
section: survival
order: 20
empty: No patient of the cohort has an anakinra window, so there is no first dose to count from.
statistics:
  - {kind: survival, time: months, event: died, missing: missing, title: Survival from the first anakinra dose, unit: months,
    landmarks: [6, 12]}
chart:
  kind: survival
  time: months
  event: died
  missing: missing
  unit: months
  x: Months since the first dose of anakinra
  y: Survival
  every: 3
caption: >
  The same patients and deaths as in overall survival, counted from another start: the paper does not say from which.
  Everybody here lived until the first dose, so this curve must not be compared with patients who had no anakinra and are
  counted from the infusion (immortal time); such a comparison needs the same start for both.
*/
-- From the days since the infusion, so that what is not known there is not known here.
SELECT o.patient_id,
    CAST(w.start_time AS DATE) - CAST(o.infusion_time AS DATE) AS anakinra_day,
    o.os_days - anakinra_day AS days,
    (o.os_days - anakinra_day) / $month_days AS months,
    o.died,
    CASE WHEN o.died AND o.death_time IS NULL THEN 'death without a day' END AS missing
FROM outcome AS o
JOIN cohort AS c ON c.patient_id = o.patient_id AND c.included
JOIN anakinra_window AS w ON w.patient_id = o.patient_id AND w.number = 1
ORDER BY days, o.patient_id
