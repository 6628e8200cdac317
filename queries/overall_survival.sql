/*
title: Survival and best response
question: How long did the patients of the cohort live from the infusion, and what was their best response?
reads: [outcome, cohort]
params:
  month_days: {default: 30.4375, meaning: days in a month, unit: d}
returns:
  patient_id: the patient
  os_days: {meaning: "days from the infusion to death or to the last sign of life; empty where the day of death is not known", unit: d}
  os_months: {meaning: the same in months, unit: mo}
  died: whether death was recorded
  cause: cause of death
  best_response: best response assessed after the infusion
  responded: best response is CR or PR; empty where none was assessed
  missing: why there are no days
section: survival
order: 10
empty: No patient of the cohort has an outcome.
statistics:
  - {kind: survival, time: os_months, event: died, missing: missing, title: Overall survival, unit: months, landmarks: [6, 12],
    published: X-37}
  - {kind: proportion, of: responded, title: Best overall response (CR or PR), published: X-36}
chart:
  kind: survival
  time: os_months
  event: died
  missing: missing
  unit: months
  x: Months since CAR-T infusion
  y: Overall survival
  every: 3
caption: >
  The curve falls where patients died; an upright tick is a patient last seen alive at that time. Dashed: survival at
  the landmarks, and the median. Under the axis, how many were still followed, and how many had died by then. Who is
  known to have died on a day that is not known is not in the curve, and is counted as missing.
  Who is in the cohort had anakinra later, and so lived until then: this start must not be compared with patients who had
  none (immortal time).
published: [X-35, X-36, X-37, X-38, X-39]
*/
SELECT o.patient_id, o.os_days, o.os_days / $month_days AS os_months, o.died, o.cause, o.best_response,
    o.best_response IN ('CR', 'PR') AS responded,
    CASE WHEN o.died AND o.death_time IS NULL THEN 'death without a day' END AS missing
FROM outcome AS o
JOIN cohort AS c ON c.patient_id = o.patient_id
WHERE c.included
ORDER BY o.os_days, o.patient_id
