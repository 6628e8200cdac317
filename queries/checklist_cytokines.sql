/*
title: Cytokine samples, statement by statement
question: Who had serum, when was it drawn, and in whom is every analyte known at baseline, before and after anakinra?
reads: [cohort, infusion, cytokine, cytokine_pair, anakinra_window, anakinra_response]
returns:
  id: place in the published checklist
  item: the statement
  n: {meaning: "patients of whom it is known (M-13 and X-34: analytes, M-14: values, X-33: groups)", unit: "1"}
  count: {meaning: those of whom it is true; empty for measured rows, unit: "1"}
  percent: {meaning: count in percent of n, unit: "%"}
  median: median, the midpoint for an even number
  low: lowest value
  high: highest value
  unit: unit of median, lowest and highest
empty: No patient is in the cohort.
published: [M-09, M-10, M-11, M-13, M-14, X-30, X-33, X-34, F3-01, F3-02, F3-03]
*/
WITH base AS (
    SELECT w.patient_id, i.time AS infused, w.start_time AS first_dose, w.end_time AS last_dose, r.response_group
    FROM anakinra_window AS w
    JOIN infusion AS i ON i.patient_id = w.patient_id
    JOIN cohort AS c ON c.patient_id = w.patient_id AND c.included
    LEFT JOIN anakinra_response AS r ON r.patient_id = w.patient_id AND r.window_number = 1
    WHERE w.number = 1
),
well AS (SELECT y.* FROM cytokine AS y JOIN base AS b ON b.patient_id = y.patient_id),
pair AS (
    SELECT p.*, b.infused, b.first_dose, b.last_dose
    FROM cytokine_pair AS p
    JOIN base AS b ON b.patient_id = p.patient_id
    WHERE p.window_number = 1
),
person AS (
    -- A patient is complete when every analyte has all three samples.
    SELECT b.patient_id, any_value(b.response_group) AS response_group, bool_and(p.complete) AS complete,
        bool_and(p.baseline_time < p.infused AND CAST(p.baseline_time AS DATE) = CAST(p.infused AS DATE)) AS same_day,
        any_value(CAST(p.first_dose AS DATE) - CAST(p.before_time AS DATE)) AS days_before,
        any_value(CAST(p.after_time AS DATE) - CAST(p.last_dose AS DATE)) AS days_after
    FROM base AS b
    JOIN pair AS p ON p.patient_id = b.patient_id
    GROUP BY b.patient_id
),
trend AS (
    -- Geometric mean of after over before in the severe group that responded, and in the one that did not.
    SELECT p.analyte,
        avg(ln(p.ratio)) FILTER (WHERE person.response_group = 'grade 3-4 response') AS responding,
        avg(ln(p.ratio)) FILTER (WHERE person.response_group = 'grade 3-4 no response') AS other
    FROM pair AS p
    JOIN person ON person.patient_id = p.patient_id AND person.complete
    WHERE p.analyte IN ('il1a', 'il1b', 'ccl4', 'cxcl10', 'il6') AND p.ratio > 0
    GROUP BY p.analyte
),
measured AS (
    SELECT unnest([
        {'id': 'X-30', 'item': 'Sample after anakinra, days after the last dose', 'value': days_after::DOUBLE, 'unit': 'd'},
        {'id': 'F3-02', 'item': 'Sample before anakinra, days before the first dose', 'value': days_before::DOUBLE, 'unit': 'd'},
        {'id': 'F3-03', 'item': 'Sample after anakinra, days after the last dose', 'value': days_after::DOUBLE, 'unit': 'd'}
    ], recursive := true)
    FROM person
    WHERE complete
),
counted AS (
    SELECT 'M-09' AS id, 'Patients with banked serum' AS item, b.patient_id IN (SELECT patient_id FROM well) AS yes FROM base AS b
    UNION ALL
    SELECT 'M-10', 'Patients with every sample, of those with serum', complete
    FROM person WHERE patient_id IN (SELECT patient_id FROM well)
    UNION ALL
    SELECT 'M-11', 'Baseline drawn on the day of the infusion, before it', same_day FROM person WHERE complete
    UNION ALL
    SELECT 'M-13', 'Analytes measured', true FROM (SELECT DISTINCT analyte FROM well)
    UNION ALL
    SELECT 'M-14', 'Values measured in duplicate', replicates = 2 FROM well
    UNION ALL
    SELECT 'X-33', 'Response groups met among the complete patients', true
    FROM (SELECT DISTINCT response_group FROM person WHERE complete AND response_group IS NOT NULL)
    UNION ALL
    SELECT 'X-34', 'Of five named analytes, those that fall more in the severe group that responded', responding < other FROM trend
    UNION ALL
    SELECT 'F3-01', 'Patients in whom the fold changes are known', true FROM person WHERE complete
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
