/*
title: Temperature and laboratory values, statement by statement
question: Which statements of the paper's text about temperature, inflammation and blood counts hold in this study?
reads: [cohort, event, anakinra_window, lab_pair, cytopenia]
params:
  reading: {default: 6h, meaning: how old the temperature at the first dose may be, unit: h}
  reading_after: {default: 0h, meaning: how long after the first dose that temperature may still be read, unit: h}
  severe: {default: 3, meaning: lowest CTCAE grade counted as severe}
  missing_severe: {default: false, meaning: whether a patient without a count after anakinra counts as severe}
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
published: [X-22, X-25, X-26, X-27, X-28, X-29, F2A, F2B-L, F2B-R, F2C-L, F2C-R, F2D, F2E]
*/
WITH base AS (
    SELECT w.patient_id, w.start_time AS first_dose
    FROM anakinra_window AS w
    JOIN cohort AS c ON c.patient_id = w.patient_id AND c.included
    WHERE w.number = 1
),
warm AS (
    -- The last reading up to the first dose (or a little after it), in degrees Fahrenheit as published.
    SELECT b.patient_id, last(e.value * 9 / 5 + 32 ORDER BY e.time, e.value, e.event_id) AS value
    FROM base AS b
    JOIN event AS e ON e.patient_id = b.patient_id AND e.concept = 'temperature' AND NOT e.implausible
    WHERE e.time BETWEEN b.first_dose - $reading AND b.first_dose + $reading_after AND e.value IS NOT NULL
    GROUP BY b.patient_id
),
pair AS (
    SELECT p.patient_id, p.analyte, p.after_value, p.percent_change, p.complete, g.grade
    FROM lab_pair AS p
    JOIN base AS b ON b.patient_id = p.patient_id
    LEFT JOIN (
        SELECT patient_id, analyte, time, max(grade) AS grade FROM cytopenia GROUP BY patient_id, analyte, time
    ) AS g ON g.patient_id = p.patient_id AND g.analyte = p.analyte AND g.time = p.after_time
    WHERE p.window_number = 1
),
measured AS (
    SELECT 'X-22' AS id, 'Temperature at the first dose of anakinra' AS item, value, '[degF]' AS unit FROM warm
    UNION ALL
    SELECT 'X-26', 'Platelets three to four weeks after anakinra', after_value, '10*9/L'
    FROM pair WHERE analyte = 'platelets' AND complete
),
counted AS (
    SELECT unnest([
        {'id': 'X-25', 'item': 'Neutropenia grade 3-4 three to four weeks after anakinra', 'analyte': 'neutrophils',
            'yes': CASE WHEN complete THEN grade >= $severe WHEN $missing_severe THEN true END},
        {'id': 'X-27', 'item': 'Thrombocytopenia grade 3-4 three to four weeks after anakinra', 'analyte': 'platelets',
            'yes': CASE WHEN complete THEN grade >= $severe WHEN $missing_severe THEN true END},
        {'id': 'X-28', 'item': 'CRP fell', 'analyte': 'crp', 'yes': percent_change < 0},
        {'id': 'X-29', 'item': 'Ferritin fell', 'analyte': 'ferritin', 'yes': percent_change < 0},
        {'id': 'F2A', 'item': 'Temperature before and after', 'analyte': 'temperature', 'yes': CASE WHEN complete THEN true END},
        {'id': 'F2B-L', 'item': 'Neutrophils before and after', 'analyte': 'neutrophils', 'yes': CASE WHEN complete THEN true END},
        {'id': 'F2B-R', 'item': 'Platelets before and after', 'analyte': 'platelets', 'yes': CASE WHEN complete THEN true END}
    ], recursive := true), analyte AS measured_analyte
    FROM pair
)
SELECT id, item, count(value) AS n, NULL::BIGINT AS count, NULL::DOUBLE AS percent,
    median(value) AS median, min(value) AS low, max(value) AS high, unit
FROM measured
GROUP BY id, item, unit
UNION ALL
SELECT id, item, count(yes), count(*) FILTER (WHERE yes), 100 * avg(yes::INTEGER), NULL, NULL, NULL, NULL
FROM counted
WHERE analyte = measured_analyte
GROUP BY id, item
ORDER BY id
