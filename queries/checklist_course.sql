/*
title: The course of the cohort, statement by statement
question: Which statements of the paper's text about patients, treatment and response hold in this study?
reads: [cohort, infusion, event, icans_grade, steroid_dose, anakinra_dose, anakinra_window, anakinra_response, outcome]
params:
  cutoff: {default: "2020-10-01", meaning: last day of the data}
returns:
  id: place in the published checklist
  item: the statement
  n: {meaning: patients of whom it is known, unit: "1"}
  count: {meaning: patients of whom it is true; empty for measured rows, unit: "1"}
  percent: {meaning: count in percent of n, unit: "%"}
  median: median, the midpoint for an even number
  low: lowest value
  high: highest value
  unit: unit of median, lowest and highest
empty: No patient is in the cohort.
published: [M-01, M-02, M-05, X-01, X-05, X-12, X-14, X-15, X-16, X-19, X-20, X-40]
*/
WITH member AS (
    SELECT i.patient_id, i.time AS infused, c.refractory_before_anakinra AS refractory,
        -- Of whom no grade is known, nobody can say whether it fell.
        i.patient_id IN (SELECT patient_id FROM icans_grade) AS graded, o.died, o.cause, o.os_days,
        o.last_time, o.best_response, w.start_time AS first_dose, w.days, r.responded
    FROM infusion AS i
    JOIN cohort AS c ON c.patient_id = i.patient_id AND c.included
    LEFT JOIN outcome AS o ON o.patient_id = i.patient_id
    LEFT JOIN anakinra_window AS w ON w.patient_id = i.patient_id AND w.number = 1
    LEFT JOIN anakinra_response AS r ON r.patient_id = i.patient_id AND r.window_number = 1
),
steroid AS (
    SELECT m.patient_id, min(d.time) AS start
    FROM member AS m JOIN steroid_dose AS d ON d.patient_id = m.patient_id AND d.time >= m.infused
    GROUP BY m.patient_id
),
icans AS (
    SELECT m.patient_id, min(g.time) FILTER (WHERE g.grade >= 1) AS start,
        max_by(g.grade, g.time) FILTER (WHERE g.time <= m.first_dose) AS at_first_dose
    FROM member AS m JOIN icans_grade AS g ON g.patient_id = m.patient_id
    GROUP BY m.patient_id
),
daily AS (
    -- What was given on one day; a day with a dose of unknown size is unknown.
    SELECT d.patient_id, d.day, CASE WHEN count(*) = count(d.dose_mg) THEN sum(d.dose_mg ORDER BY d.number) END AS mg
    FROM anakinra_dose AS d JOIN member AS m ON m.patient_id = d.patient_id
    WHERE d.time >= m.infused
    GROUP BY d.patient_id, d.day
),
relapse AS (
    SELECT m.patient_id, bool_or(lower(e.text) = 'pd') AS progressed
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id AND e.concept = 'response_assessment' AND e.time > m.infused
    GROUP BY m.patient_id
),
central AS (
    SELECT m.patient_id, max(lower(e.text)) AS involved
    FROM member AS m JOIN event AS e ON e.patient_id = m.patient_id AND e.concept = 'cns_involvement'
    GROUP BY m.patient_id
),
facts AS (
    SELECT m.*, s.start AS steroid, i.start AS icans, i.at_first_dose, e.progressed, n.involved,
        m.best_response IN ('CR', 'PR') AS responder
    FROM member AS m
    LEFT JOIN steroid AS s ON s.patient_id = m.patient_id
    LEFT JOIN icans AS i ON i.patient_id = m.patient_id
    LEFT JOIN relapse AS e ON e.patient_id = m.patient_id
    LEFT JOIN central AS n ON n.patient_id = m.patient_id
),
measured AS (
    SELECT unnest([
        {'id': 'M-01', 'item': 'Year of the infusion', 'value': year(infused)::DOUBLE, 'unit': NULL},
        {'id': 'M-05', 'item': 'Days with anakinra', 'value': days::DOUBLE, 'unit': 'd'},
        {'id': 'X-16', 'item': 'Day of death from ICANS', 'value': CASE WHEN lower(cause) = 'icans' THEN os_days::DOUBLE END,
            'unit': 'd'},
        {'id': 'X-19', 'item': 'Hours from anakinra to corticosteroids where anakinra came before ICANS',
            'value': CASE WHEN first_dose < icans AND first_dose < steroid THEN epoch(steroid - first_dose) / 3600 END,
            'unit': 'h'}
    ], recursive := true)
    FROM facts
    UNION ALL
    SELECT 'X-12', 'Anakinra, sum of a day', mg, 'mg' FROM daily
),
counted AS (
    SELECT unnest([
        {'id': 'M-02', 'item': 'Last seen at or before the cut-off', 'yes': CAST(last_time AS DATE) <= CAST($cutoff AS DATE)},
        {'id': 'X-01', 'item': 'In the cohort', 'yes': true},
        {'id': 'X-05', 'item': 'CNS involvement', 'yes': involved = 'yes'},
        {'id': 'X-14', 'item': 'Steroid-refractory by the paper''s definition before anakinra', 'yes': CASE WHEN graded THEN refractory END},
        {'id': 'X-15', 'item': 'ICANS or CRS fell within a day after the last dose', 'yes': responded},
        {'id': 'X-20', 'item': 'ICANS grade 1 when corticosteroids and anakinra were started together',
            'yes': steroid = first_dose AND at_first_dose = 1},
        {'id': 'X-40', 'item': 'Still in response, of those with CR or PR', 'yes': CASE WHEN responder THEN NOT (died OR progressed) END}
    ], recursive := true)
    FROM facts
)
SELECT id, item, count(value) AS n, NULL::BIGINT AS count, NULL::DOUBLE AS percent,
    median(value) AS median, min(value) AS low, max(value) AS high, unit
FROM measured
GROUP BY id, item, unit
UNION ALL
SELECT id, item, count(yes), count(*) FILTER (WHERE yes), 100 * avg(yes::INTEGER), NULL, NULL, NULL, NULL
FROM counted
GROUP BY id, item
ORDER BY id
