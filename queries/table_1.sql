/*
title: Table 1, patient characteristics, toxicity, treatment and survival
question: Who were the patients of the cohort, how were they treated, and what became of them?
reads: [cohort, infusion, patient, event, icans_grade, crs_grade, steroid_dose, anakinra_window, tocilizumab_window, outcome]
returns:
  id: place in the published checklist
  item: row of the table
  n: {meaning: patients of whom it is known, unit: "1"}
  count: {meaning: patients of whom it is true; empty for measured rows, unit: "1"}
  percent: {meaning: count in percent of n, unit: "%"}
  median: median, the midpoint for an even number
  low: lowest value
  high: highest value
  unit: unit of median, lowest and highest
  group: head under which the row stands
  label: row of the table, read under its head
  depth: {meaning: "how far the label is indented; 1 where the row is a part of the one above", unit: "1"}
  position: {meaning: place of the row in the table, unit: "1"}
  total: {meaning: patients of the cohort, unit: "1"}
table:
  kind: characteristics
  key: id
  group: group
  label: label
  depth: depth
  n: n
  count: count
  percent: percent
  median: median
  low: low
  high: high
  unit: unit
  total: total
  value: All patients
  forms: {T1-02: ratio, T1-29: percent, T1-30: count, T1-31: percent}
  levels: {T1-04: [I, II, III, IV]}
  words: {a: years, d: days}
  adds_up:
    diseases: [T1-05, T1-07, T1-08, T1-09, T1-10, T1-11]
    products: [T1-15, T1-16]
    vital status: [T1-30, T1-31]
    causes of death: [T1-33, T1-34, T1-35]
    fatal infections: [T1-36, T1-37, T1-38]
  part_of: {T1-06: T1-05, T1-27: T1-26, T1-28: T1-26, T1-32: T1-31, T1-33: T1-31, T1-34: T1-31, T1-35: T1-31, T1-36: T1-34,
    T1-37: T1-34, T1-38: T1-34}
  same_as: {T1-29: T1-30}
  footnotes:
    - {rows: [T1-19], published: T1-39, text: "Hospitalization days from the CAR-T infusion (day 0) to discharge, or to death
        in hospital, are indicated."}
    - {rows: [T1-14], text: The highest value from day 0 to discharge or death in hospital; normal 110 to 220 U/L.}
    - {rows: [T1-21], text: "Systemic corticosteroids from the infusion to discharge or death in hospital, as equivalents of
        dexamethasone."}
    - {text: "ASCT, autologous stem cell transplantation; CNS, central nervous system; CRS, cytokine release syndrome; DLBCL,
        diffuse large B-cell lymphoma; ECOG, Eastern Cooperative Oncology Group; ICANS, immune effector cell-associated
        neurotoxicity syndrome; LDH, lactate dehydrogenase; MCL, mantle cell lymphoma; PMBCL, primary mediastinal B-cell
        lymphoma; tFL, transformed follicular lymphoma."}
section: cohort
order: 20
empty: No patient is in the cohort.
published: [T1-01, T1-02, T1-03, T1-04, T1-05, T1-06, T1-07, T1-08, T1-09, T1-10, T1-11, T1-12, T1-13, T1-14, T1-15, T1-16,
  T1-17, T1-18, T1-19, T1-20, T1-21, T1-22, T1-23, T1-24, T1-25, T1-26, T1-27, T1-28, T1-29, T1-30, T1-31, T1-32, T1-33,
  T1-34, T1-35, T1-36, T1-37, T1-38, T1-39]
*/
WITH member AS (
    -- Day 0 is the infusion; the stay that holds it ends with discharge or with death, whichever came first. Of a stay
    -- without an end, or none, a death does not tell how long it was: it may have been at home.
    SELECT i.patient_id, i.time AS infused, i.product, o.died, o.cause, o.os_days, p.sex,
        date_sub('year', p.birth_date, CAST(i.time AS DATE)) AS age,
        CASE WHEN stay.end_time IS NOT NULL THEN least(stay.end_time, o.death_time) END AS discharge
    FROM infusion AS i
    JOIN cohort AS c ON c.patient_id = i.patient_id AND c.included
    JOIN patient AS p ON p.patient_id = i.patient_id
    LEFT JOIN outcome AS o ON o.patient_id = i.patient_id
    LEFT JOIN (
        SELECT e.patient_id, max(e.end_time) AS end_time
        FROM event AS e
        JOIN infusion AS j ON j.patient_id = e.patient_id
        WHERE e.concept = 'hospitalization' AND j.time BETWEEN e.time AND e.end_time
        GROUP BY e.patient_id
    ) AS stay ON stay.patient_id = i.patient_id
),
baseline AS (
    -- The last known before the infusion; facts without a time were known before it.
    SELECT m.patient_id,
        last(e.value ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'ecog') AS ecog,
        last(CASE upper(e.text) WHEN 'I' THEN 1 WHEN 'II' THEN 2 WHEN 'III' THEN 3 WHEN 'IV' THEN 4 END
            ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'ann_arbor_stage') AS stage,
        last(e.text ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'disease') AS disease,
        last(lower(e.text) ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'cns_involvement') AS cns,
        last(e.value ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'prior_lines') AS lines,
        last(e.value ORDER BY e.time NULLS FIRST, e.event_id) FILTER (WHERE e.concept = 'prior_asct') AS asct
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id AND (e.time IS NULL OR e.time < m.infused) AND NOT e.implausible
    GROUP BY m.patient_id
),
stay AS (
    -- Peak LDH and steroids: from day 0, or the infusion, to discharge or death.
    SELECT m.patient_id, max(e.value) AS ldh
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id AND e.concept = 'ldh' AND NOT e.implausible
    WHERE e.day >= 0 AND e.time <= m.discharge
    GROUP BY m.patient_id
),
steroid AS (
    SELECT m.patient_id, min(d.day) AS start, count(DISTINCT d.day) AS days,
        sum(d.dexamethasone_mg ORDER BY d.time, d.number) AS mg
    FROM member AS m
    JOIN steroid_dose AS d ON d.patient_id = m.patient_id AND d.time BETWEEN m.infused AND m.discharge
    GROUP BY m.patient_id
),
tocilizumab AS (
    SELECT m.patient_id, min(w.start_day) AS start, sum(w.doses) AS doses
    FROM member AS m
    JOIN tocilizumab_window AS w ON w.patient_id = m.patient_id AND w.start_time >= m.infused
    GROUP BY m.patient_id
),
anakinra AS (
    -- The paper's analyses use the first window; two syringes on one day are one daily dose.
    SELECT w.patient_id, w.start_day AS start, w.days FROM anakinra_window AS w WHERE w.number = 1
),
icans AS (SELECT patient_id, max(grade) AS peak FROM icans_grade GROUP BY patient_id),
crs AS (SELECT patient_id, max(grade) AS peak FROM crs_grade GROUP BY patient_id),
fatal AS (
    SELECT m.patient_id, string_agg(lower(e.text), '; ' ORDER BY e.time, e.event_id) AS organisms
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id AND e.concept = 'infection' AND e.time >= m.infused
    WHERE m.died AND lower(m.cause) = 'infection'
    GROUP BY m.patient_id
),
facts AS (
    SELECT m.*, b.* EXCLUDE (patient_id), s.ldh, d.start AS steroid_start, d.days AS steroid_days, d.mg AS steroid_mg,
        t.start AS tocilizumab_start, t.doses AS tocilizumab_doses, a.start AS anakinra_start, a.days AS anakinra_days,
        i.peak AS icans, r.peak AS crs, f.organisms, CAST(m.discharge AS DATE) - CAST(m.infused AS DATE) AS stay_days
    FROM member AS m
    LEFT JOIN baseline AS b ON b.patient_id = m.patient_id
    LEFT JOIN stay AS s ON s.patient_id = m.patient_id
    LEFT JOIN steroid AS d ON d.patient_id = m.patient_id
    LEFT JOIN tocilizumab AS t ON t.patient_id = m.patient_id
    LEFT JOIN anakinra AS a ON a.patient_id = m.patient_id
    LEFT JOIN icans AS i ON i.patient_id = m.patient_id
    LEFT JOIN crs AS r ON r.patient_id = m.patient_id
    LEFT JOIN fatal AS f ON f.patient_id = m.patient_id
),
measured AS (
    SELECT unnest([
        {'id': 'T1-01', 'item': 'Age at infusion', 'value': age::DOUBLE, 'unit': 'a'},
        {'id': 'T1-03', 'item': 'ECOG performance status', 'value': ecog::DOUBLE, 'unit': NULL},
        {'id': 'T1-04', 'item': 'Ann Arbor stage (I = 1 to IV = 4)', 'value': stage::DOUBLE, 'unit': NULL},
        {'id': 'T1-12', 'item': 'Peak ICANS grade', 'value': icans::DOUBLE, 'unit': NULL},
        {'id': 'T1-13', 'item': 'Peak CRS grade', 'value': crs::DOUBLE, 'unit': NULL},
        {'id': 'T1-14', 'item': 'Peak LDH', 'value': ldh::DOUBLE, 'unit': 'U/L'},
        {'id': 'T1-17', 'item': 'Previous lines of treatment', 'value': lines::DOUBLE, 'unit': NULL},
        {'id': 'T1-18', 'item': 'Number of previous ASCT', 'value': asct::DOUBLE, 'unit': NULL},
        {'id': 'T1-19', 'item': 'Hospital stay from the infusion', 'value': stay_days::DOUBLE, 'unit': 'd'},
        {'id': 'T1-20', 'item': 'Corticosteroid start', 'value': steroid_start::DOUBLE, 'unit': 'd'},
        {'id': 'T1-21', 'item': 'Cumulative dexamethasone equivalent', 'value': round(steroid_mg, 6), 'unit': 'mg'},
        {'id': 'T1-22', 'item': 'Days with a corticosteroid', 'value': steroid_days::DOUBLE, 'unit': 'd'},
        {'id': 'T1-23', 'item': 'Anakinra start', 'value': anakinra_start::DOUBLE, 'unit': 'd'},
        {'id': 'T1-24', 'item': 'Daily anakinra doses', 'value': anakinra_days::DOUBLE, 'unit': NULL},
        {'id': 'T1-27', 'item': 'Tocilizumab start', 'value': tocilizumab_start::DOUBLE, 'unit': 'd'},
        {'id': 'T1-28', 'item': 'Tocilizumab doses', 'value': tocilizumab_doses::DOUBLE, 'unit': NULL},
        {'id': 'T1-32', 'item': 'Day of death', 'value': CASE WHEN died THEN os_days::DOUBLE END, 'unit': 'd'}
    ], recursive := true)
    FROM facts
),
counted AS (
    SELECT unnest([
        {'id': 'T1-02', 'item': 'Female', 'yes': CASE WHEN sex IN ('F', 'M') THEN sex = 'F' END},
        {'id': 'T1-05', 'item': 'DLBCL', 'yes': disease = 'DLBCL'},
        {'id': 'T1-06', 'item': 'DLBCL with CNS involvement, of DLBCL', 'yes': CASE WHEN disease = 'DLBCL' THEN cns = 'yes' END},
        {'id': 'T1-07', 'item': 'tFL', 'yes': disease = 'tFL'},
        {'id': 'T1-08', 'item': 'MCL with CNS involvement', 'yes': disease = 'MCL' AND cns = 'yes'},
        {'id': 'T1-09', 'item': 'Lymphoblastic lymphoma', 'yes': disease = 'lymphoblastic lymphoma'},
        {'id': 'T1-10', 'item': 'Burkitt lymphoma', 'yes': disease = 'Burkitt lymphoma'},
        {'id': 'T1-11', 'item': 'PMBCL', 'yes': disease = 'PMBCL'},
        {'id': 'T1-15', 'item': 'Axicabtagene ciloleucel', 'yes': product = 'axicabtagene_ciloleucel'},
        {'id': 'T1-16', 'item': 'Tisagenlecleucel', 'yes': product = 'tisagenlecleucel'},
        {'id': 'T1-18', 'item': 'Previous ASCT', 'yes': asct > 0},
        {'id': 'T1-25', 'item': 'CRS grade 2 or more', 'yes': crs >= 2},
        {'id': 'T1-26', 'item': 'Treated with tocilizumab', 'yes': tocilizumab_doses IS NOT NULL},
        {'id': 'T1-29', 'item': 'Patients alive (%)', 'yes': NOT died},
        {'id': 'T1-30', 'item': 'Patients alive', 'yes': NOT died},
        {'id': 'T1-31', 'item': 'Patients deceased', 'yes': died},
        {'id': 'T1-33', 'item': 'Cause of death: progressive disease, of deaths',
            'yes': CASE WHEN died THEN lower(cause) = 'progressive disease' END},
        {'id': 'T1-34', 'item': 'Cause of death: infection, of deaths', 'yes': CASE WHEN died THEN lower(cause) = 'infection' END},
        {'id': 'T1-35', 'item': 'Cause of death: ICANS, of deaths', 'yes': CASE WHEN died THEN lower(cause) = 'icans' END},
        {'id': 'T1-36', 'item': 'Fatal infection: mucormycosis alone, of fatal infections', 'yes': organisms = 'mucormycosis'},
        {'id': 'T1-37', 'item': 'Fatal coinfection: Candida albicans and Pseudomonas aeruginosa, of fatal infections',
            'yes': contains(organisms, 'candida albicans') AND contains(organisms, 'pseudomonas aeruginosa')},
        {'id': 'T1-38', 'item': 'Fatal coinfection: Enterococcus faecalis and fungus by beta-D-glucan, of fatal infections',
            'yes': contains(organisms, 'enterococcus faecalis') AND contains(organisms, 'beta-d-glucan')}
    ], recursive := true)
    FROM facts
),
layout(position, id, measured, "group", label, depth) AS (
    -- The order of the paper's table, and its heads; the first and `Toxicity` have none there.
    VALUES
        (1, 'T1-01', TRUE, 'Patient characteristics', 'Age at CAR-T infusion', 0),
        (2, 'T1-02', FALSE, 'Patient characteristics', 'Sex (F:M)', 0),
        (3, 'T1-03', TRUE, 'Patient characteristics', 'ECOG performance status', 0),
        (4, 'T1-04', TRUE, 'Patient characteristics', 'Ann Arbor stage', 0),
        (5, 'T1-05', FALSE, 'Disease type', 'DLBCL', 0),
        (6, 'T1-06', FALSE, 'Disease type', 'DLBCL with CNS involvement', 1),
        (7, 'T1-07', FALSE, 'Disease type', 'tFL', 0),
        (8, 'T1-08', FALSE, 'Disease type', 'MCL with CNS involvement', 0),
        (9, 'T1-09', FALSE, 'Disease type', 'Lymphoblastic lymphoma', 0),
        (10, 'T1-10', FALSE, 'Disease type', 'Burkitt lymphoma', 0),
        (11, 'T1-11', FALSE, 'Disease type', 'PMBCL', 0),
        (12, 'T1-12', TRUE, 'Toxicity', 'Peak ICANS', 0),
        (13, 'T1-13', TRUE, 'Toxicity', 'Peak CRS', 0),
        (14, 'T1-14', TRUE, 'Toxicity', 'Peak LDH', 0),
        (15, 'T1-15', FALSE, 'CAR-T cell product', 'Axicabtagene ciloleucel', 0),
        (16, 'T1-16', FALSE, 'CAR-T cell product', 'Tisagenlecleucel', 0),
        (17, 'T1-17', TRUE, 'Previous treatment', 'Previous treatment lines', 0),
        (18, 'T1-18', FALSE, 'Previous treatment', 'Previous ASCT', 0),
        (19, 'T1-18', TRUE, 'Previous treatment', 'Number of previous ASCT', 1),
        (20, 'T1-19', TRUE, 'Previous treatment', 'Hospitalization days', 0),
        (21, 'T1-20', TRUE, 'Toxicity treatment', 'Corticosteroid start (after CAR-T infusion)', 0),
        (22, 'T1-21', TRUE, 'Toxicity treatment', 'Cumulative dexamethasone dose', 0),
        (23, 'T1-22', TRUE, 'Toxicity treatment', 'Cumulative dexamethasone days', 0),
        (24, 'T1-23', TRUE, 'Toxicity treatment', 'Anakinra start (after CAR-T infusion)', 0),
        (25, 'T1-24', TRUE, 'Toxicity treatment', 'Anakinra, daily doses', 0),
        (26, 'T1-25', FALSE, 'Toxicity treatment', 'Patients with CRS grade ≥ 2', 0),
        (27, 'T1-26', FALSE, 'Toxicity treatment', 'Patients treated with tocilizumab', 0),
        (28, 'T1-27', TRUE, 'Toxicity treatment', 'Tocilizumab start (after CAR-T infusion)', 1),
        (29, 'T1-28', TRUE, 'Toxicity treatment', 'Tocilizumab, doses', 1),
        (30, 'T1-29', FALSE, 'Survival', 'Patients alive (%)', 0),
        (31, 'T1-30', FALSE, 'Survival', 'Patients alive (n)', 0),
        (32, 'T1-31', FALSE, 'Survival', 'Patients deceased (%)', 0),
        (33, 'T1-32', TRUE, 'Survival', 'Day of death', 1),
        (34, 'T1-33', FALSE, 'Cause of death', 'Progressive disease', 0),
        (35, 'T1-34', FALSE, 'Cause of death', 'Infection', 0),
        (36, 'T1-35', FALSE, 'Cause of death', 'ICANS grade 5', 0),
        (37, 'T1-36', FALSE, 'Fatal infections', 'Fungal infection: mucormycosis', 0),
        (38, 'T1-37', FALSE, 'Fatal infections', 'Coinfection: Candida albicans and Pseudomonas aeruginosa', 0),
        (39, 'T1-38', FALSE, 'Fatal infections', 'Coinfection: Enterococcus faecalis and fungal infection by beta-D-glucan', 0)
),
found AS (
    SELECT id, item, TRUE AS measured, count(value) AS n, NULL::BIGINT AS count, NULL::DOUBLE AS percent,
        median(value) AS median, min(value) AS low, max(value) AS high, unit
    FROM measured
    GROUP BY id, item, unit
    UNION ALL
    SELECT id, item, FALSE, count(yes), count(*) FILTER (WHERE yes), 100 * avg(yes::INTEGER), NULL, NULL, NULL, NULL
    FROM counted
    GROUP BY id, item
)
SELECT f.id, f.item, f.n, f.count, f.percent, f.median, f.low, f.high, f.unit, l."group", l.label, l.depth, l.position,
    (SELECT count(*) FROM member) AS total
FROM found AS f
JOIN layout AS l ON l.id = f.id AND l.measured = f.measured
ORDER BY l.position
