/*
title: Corticosteroids around the first dose of anakinra
question: How much corticosteroid did each patient get on each day around the first dose of anakinra, and was it tapered?
reads: [cohort, anakinra_window, steroid_dose, outcome, event]
params:
  from_day: {default: -7, meaning: "first day shown, the day of the first anakinra dose being day 0", unit: d}
  to_day: {default: 14, meaning: last day shown, unit: d}
returns:
  patient_id: the patient
  day: {meaning: calendar day relative to the first anakinra dose, unit: d}
  mg: {meaning: sum of the day as dexamethasone equivalent; empty where it is not known, unit: mg}
  state: "where mg comes from: given, none given (in hospital and alive), amount not known, not in hospital, or dead"
  at_first: the day of the first anakinra dose
  at_day_3: three days later
  at_day_7: seven days later
  halved: "at most half of what was given on day 0; empty where either is not known, or where nothing was given on day 0"
section: results
order: 82
empty: No patient of the cohort has an anakinra window, so there is no first dose to look around.
chart:
  kind: course
  line: patient_id
  day: day
  value: mg
  panels: {mg: {title: "Dexamethasone equivalent, mg/day"}}
  x: Days relative to the first dose of anakinra
  zero: First anakinra dose
caption: >
  All systemic corticosteroids of a calendar day, as dexamethasone equivalents. A day without a dose is 0 mg where the
  patient was in hospital and alive, and is not known otherwise; a day with a dose of unknown amount is not known. n
  counts patients with a known day, so it falls as they leave the hospital or die, and who stays is another group than
  who began. Halved is asked of those who had any on the day of the first dose.
statistics:
  - {kind: median_range, name: at_first, of: mg, where: at_first, title: On the day of the first anakinra dose, unit: mg/day, published: C-03}
  - {kind: median_range, name: at_day_3, of: mg, where: at_day_3, title: "3 days later", unit: mg/day}
  - {kind: median_range, name: at_day_7, of: mg, where: at_day_7, title: "7 days later", unit: mg/day}
  - {kind: proportion, name: halved_by_day_3, of: halved, where: at_day_3, title: "At least halved after 3 days"}
  - {kind: proportion, name: halved_by_day_7, of: halved, where: at_day_7, title: "At least halved after 7 days"}
published: [C-03, F1-09]
*/
WITH anchor AS (
    -- The paper's analyses use each patient's first anakinra window.
    SELECT w.patient_id, CAST(w.start_time AS DATE) AS date, CAST(o.death_time AS DATE) AS death
    FROM anakinra_window AS w
    JOIN cohort AS c ON c.patient_id = w.patient_id AND c.included
    LEFT JOIN outcome AS o ON o.patient_id = w.patient_id
    WHERE w.number = 1
),
days AS (
    SELECT a.patient_id, a.death, d.day::INTEGER AS day, a.date + d.day::INTEGER AS date
    FROM anchor AS a, range($from_day, $to_day + 1) AS d(day)
),
daily AS (
    -- A day with a dose whose amount is not recorded is not known: what is recorded is only a part of it.
    SELECT a.patient_id, CAST(s.time AS DATE) AS date,
        CASE WHEN count(*) = count(s.dexamethasone_mg) THEN sum(s.dexamethasone_mg ORDER BY s.number) END AS mg
    FROM anchor AS a
    JOIN steroid_dose AS s ON s.patient_id = a.patient_id
    GROUP BY a.patient_id, CAST(s.time AS DATE)
),
stay AS (
    -- A stay without an end proves its first day only.
    SELECT e.patient_id, CAST(e.time AS DATE) AS first, CAST(coalesce(e.end_time, e.time) AS DATE) AS last
    FROM event AS e
    JOIN anchor AS a ON a.patient_id = e.patient_id
    WHERE e.concept = 'hospitalization'
),
inside AS (
    SELECT DISTINCT d.patient_id, d.day
    FROM days AS d
    JOIN stay AS s ON s.patient_id = d.patient_id AND d.date BETWEEN s.first AND s.last
),
told AS (
    SELECT d.patient_id, d.day,
        CASE WHEN g.date IS NOT NULL AND g.mg IS NOT NULL THEN 'given'
            WHEN g.date IS NOT NULL THEN 'amount not known'
            WHEN d.date > d.death THEN 'dead'
            WHEN i.day IS NOT NULL THEN 'none given'
            ELSE 'not in hospital' END AS state,
        round(g.mg, 6) AS given
    FROM days AS d
    LEFT JOIN daily AS g ON g.patient_id = d.patient_id AND g.date = d.date
    LEFT JOIN inside AS i ON i.patient_id = d.patient_id AND i.day = d.day
),
known AS (
    SELECT patient_id, day, state, CASE WHEN state = 'none given' THEN 0 ELSE given END AS mg FROM told
)
SELECT k.patient_id, k.day, k.mg, k.state,
    k.day = 0 AS at_first, k.day = 3 AS at_day_3, k.day = 7 AS at_day_7,
    CASE WHEN z.mg > 0 THEN k.mg <= z.mg / 2 END AS halved
FROM known AS k
LEFT JOIN known AS z ON z.patient_id = k.patient_id AND z.day = 0
ORDER BY k.patient_id, k.day
