/*
title: Rows of Table 1 under other readings of the paper
question: What would the rows of Table 1 be if days were elapsed hours over 24, or if other windows counted?
reads: [cohort, infusion, event, steroid_dose, anakinra_window, tocilizumab_window, outcome]
params:
  days: {default: calendar, meaning: "calendar: difference of dates; elapsed: whole 24 hours since the infusion"}
  steroids_before: {default: 0h, meaning: how long before the infusion corticosteroids count, unit: h}
  steroids_to: {default: discharge, meaning: "to when corticosteroids count: discharge (or death), or end of the data"}
  ldh_before: {default: 0, meaning: how many days before the infusion LDH counts, unit: d}
returns:
  id: place in the published checklist
  item: row of the table
  n: {meaning: patients of whom it is known, unit: "1"}
  median: median, the midpoint for an even number
  low: lowest value
  high: highest value
  unit: unit of median, lowest and highest
empty: No patient is in the cohort.
published: [T1-14, T1-19, T1-20, T1-21, T1-22, T1-23, T1-27, T1-32]
*/
WITH member AS (
    -- As in table_1: the stay that holds the infusion ends with discharge or with death, whichever came first.
    -- Without the end of a stay a death does not tell how long it was.
    SELECT i.patient_id, i.time AS infused, o.death_time,
        CASE WHEN stay.end_time IS NOT NULL THEN least(stay.end_time, o.death_time) END AS discharge
    FROM infusion AS i
    JOIN cohort AS c ON c.patient_id = i.patient_id AND c.included
    LEFT JOIN outcome AS o ON o.patient_id = i.patient_id
    LEFT JOIN (
        SELECT e.patient_id, max(e.end_time) AS end_time
        FROM event AS e
        JOIN infusion AS j ON j.patient_id = e.patient_id
        WHERE e.concept = 'hospitalization' AND j.time BETWEEN e.time AND e.end_time
        GROUP BY e.patient_id
    ) AS stay ON stay.patient_id = i.patient_id
),
ldh AS (
    SELECT m.patient_id, max(e.value) AS peak
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id AND e.concept = 'ldh' AND NOT e.implausible
    WHERE e.day >= -$ldh_before AND e.time <= m.discharge
    GROUP BY m.patient_id
),
steroid AS (
    SELECT m.patient_id, min(d.time) AS start, count(DISTINCT d.day) AS days,
        sum(d.dexamethasone_mg ORDER BY d.time, d.number) AS mg
    FROM member AS m
    JOIN steroid_dose AS d ON d.patient_id = m.patient_id
    WHERE d.time >= m.infused - $steroids_before
        AND d.time <= CASE WHEN $steroids_to = 'discharge' THEN m.discharge ELSE 'infinity'::TIMESTAMP END
    GROUP BY m.patient_id
),
tocilizumab AS (
    SELECT m.patient_id, min(w.start_time) AS start
    FROM member AS m
    JOIN tocilizumab_window AS w ON w.patient_id = m.patient_id AND w.start_time >= m.infused
    GROUP BY m.patient_id
),
timed AS (
    SELECT m.patient_id, m.infused, unnest([
        {'id': 'T1-19', 'item': 'Hospital stay from the infusion', 'time': m.discharge},
        {'id': 'T1-20', 'item': 'Corticosteroid start', 'time': s.start},
        {'id': 'T1-23', 'item': 'Anakinra start', 'time': a.start_time},
        {'id': 'T1-27', 'item': 'Tocilizumab start', 'time': t.start},
        {'id': 'T1-32', 'item': 'Day of death', 'time': m.death_time}
    ], recursive := true)
    FROM member AS m
    LEFT JOIN steroid AS s ON s.patient_id = m.patient_id
    LEFT JOIN anakinra_window AS a ON a.patient_id = m.patient_id AND a.number = 1
    LEFT JOIN tocilizumab AS t ON t.patient_id = m.patient_id
),
measured AS (
    SELECT id, item, 'd' AS unit, CASE
        WHEN $days = 'elapsed' THEN floor(epoch(time - infused) / 86400)
        ELSE (CAST(time AS DATE) - CAST(infused AS DATE))::DOUBLE END AS value
    FROM timed
    UNION ALL
    SELECT 'T1-14', 'Peak LDH', 'U/L', l.peak FROM member AS m LEFT JOIN ldh AS l ON l.patient_id = m.patient_id
    UNION ALL
    SELECT 'T1-21', 'Cumulative dexamethasone equivalent', 'mg', round(s.mg, 6)
    FROM member AS m LEFT JOIN steroid AS s ON s.patient_id = m.patient_id
    UNION ALL
    SELECT 'T1-22', 'Days with a corticosteroid', 'd', s.days::DOUBLE
    FROM member AS m LEFT JOIN steroid AS s ON s.patient_id = m.patient_id
)
SELECT id, item, count(value) AS n, median(value) AS median, min(value) AS low, max(value) AS high, unit
FROM measured
GROUP BY id, item, unit
ORDER BY id
