/*
title: Timeline of one patient
question: What happened to one patient, in order of time, and in which line of which file does it stand?
reads: [event, concept, infusion, crs_grade, icans_grade, crs_episode, icans_episode, steroid_course, anakinra_window,
  tocilizumab_window, steroid_refractory, meta.run]
params:
  patient: {meaning: the patient's id}
returns:
  time: when, or when it began; empty for facts without a time
  end_time: when it ended, where it lasted; a grade ends at the next one, and after a day at most
  day: {meaning: calendar days since the infusion, unit: d}
  kind: the group of lanes
  element: how it is drawn
  what: the lane, which is the concept in words, or the source's code where it maps to no concept
  value: the number, in the concept's unit; a grade; the peak of an episode; the total of a course
  unit: unit of the value, in words
  bound: set where the value is only a bound
  low: lower limit of the value, where a rule of this study has one
  high: upper limit of the value, where a rule of this study has one
  detail: words of the value, and what else there is to say
  implausible: outside the plausible range of its concept, and so no observation for any rule
  logarithmic: its lane has a logarithmic axis
  rank: lanes of lower rank stay where there are too many
  origin: time of day 0, the infusion, or without one the first event
  origin_name: what day 0 is
  source_file: the file that an event came from; empty for what a rule derived
  source_row: the row in it
  source: both in words, or the rule and the number of its row
section: patient
order: 20
show: chart
empty: This patient has no event.
caption: >
  Turn the wheel over the lanes to zoom along the time (over their names it moves the page), drag to move, double-click
  for the first view; hold the pointer on a mark for its value and its line in the source. Shaded green: counts from the lower limit of normal by which their
  grades are reckoned, temperatures up to a fever, pressures from hypotension on, as in the rules of this study; no
  other reference range is known here. A grade stands until the next one, a day at most.
chart:
  kind: timeline
  lane: what
  group: kind
  element: element
  start: time
  end: end_time
  value: value
  unit: unit
  detail: detail
  origin: origin
  origin_name: origin_name
  low: low
  high: high
  bound: bound
  implausible: implausible
  log: logarithmic
  source: source
  rank: rank
  most: 34
  view: [-14, 60]
  join: 14
  x: Time, and days since the infusion (without one, since the first event)
  groups:
    window: ""
    course: Course
    toxicity: Toxicity
    drug: Drugs
    vital: Vital signs and oxygen
    laboratory: Laboratory
    cytokine: Cytokines
    other: Everything else
  layers:
    stay: {mark: bar, title: Stay or infusion over time, colour: ink}
    episode: {mark: bar, title: Episode, colour: red}
    course: {mark: bar, title: Course of a drug, colour: sky}
    grade: {mark: graded, title: Grade, grades: [0, 1, 2, 3, 4, 5]}
    product: {mark: point, title: Cell product, shape: star, colour: purple}
    dose: {mark: point, title: Dose, shape: diamond, colour: blue}
    not_given: {mark: point, title: Not given, shape: x, colour: ink}
    words: {mark: words, title: In words, shape: tick, colour: ink}
    number: {mark: line, title: Measured, colour: blue}
    anakinra: {mark: window, title: Anakinra window, colour: orange}
    steroid: {mark: window, title: Time given to steroids, colour: purple}
*/
WITH threshold AS (
    -- The limits that the rules of the latest run use; of a study without these rules there are none.
    SELECT json_extract_string(params, '$."cytopenia.neutrophils_normal"') AS neutrophils,
        json_extract_string(params, '$."cytopenia.platelets_normal"') AS platelets,
        json_extract_string(params, '$."temperature_reading.fever"') AS fever,
        json_extract_string(params, '$."crs_grade.systolic"') AS systolic,
        json_extract_string(params, '$."crs_grade.mean"') AS mean_pressure
    FROM meta.run ORDER BY started_at DESC, run LIMIT 1
),
range AS (
    SELECT 'neutrophils' AS concept, TRY_CAST(neutrophils AS DOUBLE) AS low, CAST(NULL AS DOUBLE) AS high FROM threshold
    UNION ALL SELECT 'platelets', TRY_CAST(platelets AS DOUBLE), NULL FROM threshold
    UNION ALL SELECT 'temperature', NULL, TRY_CAST(fever AS DOUBLE) FROM threshold
    UNION ALL SELECT 'systolic_bp', TRY_CAST(systolic AS DOUBLE), NULL FROM threshold
    UNION ALL SELECT 'mean_arterial_pressure', TRY_CAST(mean_pressure AS DOUBLE), NULL FROM threshold
),
listed AS (
    SELECT unnest(members) AS concept, concept AS family FROM concept
    WHERE concept IN ('car_t_product', 'cytokine_analyte', 'corticosteroid', 'vasopressor')
),
family AS (
    SELECT concept, min(family) AS family FROM listed GROUP BY concept
),
-- Where each concept stands, and how much it tells: the lower rank stays.
place AS (
    SELECT c.concept, regexp_replace(c.title, '(;|, text|, from time|, 0 to 5).*$', '') AS title,
        CASE
            WHEN f.family = 'cytokine_analyte' THEN 'cytokine'
            WHEN f.family IS NOT NULL
                OR c.concept IN ('anakinra', 'tocilizumab', 'siltuximab', 'dobutamine', 'filgrastim', 'cyclophosphamide',
                    'fludarabine', 'levetiracetam', 'ruxolitinib', 'emapalumab', 'dasatinib') THEN 'drug'
            WHEN c.concept IN ('temperature', 'systolic_bp', 'diastolic_bp', 'mean_arterial_pressure', 'heart_rate',
                'respiratory_rate', 'spo2', 'oxygen_device', 'oxygen_flow', 'fio2', 'body_weight') THEN 'vital'
            WHEN c.concept IN ('neutrophils', 'platelets', 'leukocytes', 'lymphocytes', 'monocytes', 'hemoglobin', 'crp',
                'ferritin', 'ldh', 'creatinine', 'bilirubin', 'alt', 'ast', 'fibrinogen', 'd_dimer_ddu', 'd_dimer_feu',
                'procalcitonin', 'triglycerides', 'sodium', 'potassium', 'albumin', 'lactate', 'bands_percent')
                THEN 'laboratory'
            WHEN c.concept IN ('ice_score', 'consciousness', 'seizure', 'motor_weakness', 'cerebral_edema',
                'documented_crs_grade', 'documented_icans_grade') THEN 'toxicity'
            WHEN c.concept IN ('hospitalization', 'icu_stay', 'death', 'last_follow_up', 'response_assessment',
                'infection') OR ends_with(c.concept, '_diagnosis') THEN 'course'
            ELSE 'other'
        END AS kind,
        coalesce(list_position(['hospitalization', 'death', 'response_assessment', 'infection', 'last_follow_up',
            'anakinra', 'tocilizumab', 'dexamethasone', 'methylprednisolone', 'neutrophils', 'platelets', 'crp',
            'ferritin', 'temperature', 'oxygen_device', 'mean_arterial_pressure', 'systolic_bp', 'ice_score', 'spo2',
            'ldh', 'creatinine', 'leukocytes', 'hemoglobin', 'consciousness', 'seizure', 'norepinephrine',
            'documented_icans_grade', 'documented_crs_grade', 'il6', 'il1ra', 'il10', 'il2ra'], c.concept) + 10,
            CASE WHEN f.family = 'car_t_product' THEN 1 WHEN f.family = 'cytokine_analyte' THEN 200
                WHEN f.family IS NOT NULL THEN 60 ELSE 100 END) AS rank,
        f.family = 'car_t_product' AS product, ends_with(c.concept, '_diagnosis') AS diagnosis,
        c.concept IN ('crp', 'ferritin', 'ldh', 'neutrophils', 'lymphocytes', 'procalcitonin', 'd_dimer_ddu',
            'd_dimer_feu') OR coalesce(f.family = 'cytokine_analyte', FALSE) AS logarithmic,
        r.low, r.high
    FROM concept AS c
    LEFT JOIN family AS f ON f.concept = c.concept
    LEFT JOIN range AS r ON r.concept = c.concept
),
own AS (
    SELECT time, end_time, day, concept, code, value, unit, bound, text, route, source_value, source_file, source_row,
        date_only, implausible
    FROM event WHERE patient_id = $patient
),
item AS (
    SELECT e.time, CASE WHEN e.end_time > e.time THEN e.end_time END AS end_time, e.day, coalesce(p.kind, 'other') AS kind,
        CASE
            WHEN p.product THEN 'product'
            WHEN e.end_time > e.time AND (e.value IS NULL OR p.kind IS DISTINCT FROM 'laboratory') THEN 'stay'
            -- A dose of 0 was not given; one without an amount was.
            WHEN p.kind = 'drug' AND e.value = 0 THEN 'not_given'
            WHEN p.kind = 'drug' THEN 'dose'
            WHEN e.value IS NOT NULL AND NOT coalesce(p.diagnosis, FALSE) AND p.concept IS DISTINCT FROM 'oxygen_device' THEN 'number'
            ELSE 'words'
        END AS element,
        CASE WHEN p.diagnosis THEN 'Diagnoses, coded' ELSE coalesce(p.title, concat_ws(', ', e.code, e.unit)) END AS what,
        e.value, e.unit, e.bound, p.low, p.high,
        concat_ws('; ',
            CASE WHEN p.diagnosis THEN regexp_replace(p.title, ', coded$', '') END,
            CASE WHEN p.concept = 'oxygen_device' OR e.value IS NULL
                THEN coalesce(nullif(replace(e.text, '_', ' '), ''),
                    CASE WHEN p.kind IS DISTINCT FROM 'drug' THEN nullif(e.source_value, '') END)
                ELSE replace(e.text, '_', ' ') END,
            CASE WHEN e.text IS NULL AND e.source_value IS NULL THEN
                CASE e.concept WHEN 'last_follow_up' THEN 'alive' WHEN 'death' THEN 'cause not recorded' END END,
            e.route,
            CASE WHEN p.kind = 'drug' AND e.value IS NULL THEN 'amount not recorded'
                WHEN p.kind = 'drug' AND e.unit IS NULL THEN 'unit not recorded' END,
            CASE WHEN e.date_only THEN 'time of day not recorded' END) AS detail,
        e.implausible, coalesce(p.logarithmic, FALSE) AS logarithmic,
        CASE WHEN p.concept IS NULL THEN 1000 ELSE p.rank END AS rank,
        e.source_file, e.source_row, concat(e.source_file, ', row ', e.source_row) AS source
    FROM own AS e LEFT JOIN place AS p ON p.concept = e.concept
    UNION ALL BY NAME
    SELECT time, least(time + INTERVAL 24 HOUR, lead(time) OVER (ORDER BY time, number)) AS end_time, day,
        'toxicity' AS kind, 'grade' AS element, 'CRS grade' AS what, grade AS value, 2 AS rank,
        'rule crs_grade, number ' || number AS source
    FROM crs_grade WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT time, least(time + INTERVAL 24 HOUR, lead(time) OVER (ORDER BY time, number)) AS end_time, day,
        'toxicity' AS kind, 'grade' AS element, 'ICANS grade' AS what, grade AS value, 4 AS rank,
        'rule icans_grade, number ' || number AS source
    FROM icans_grade WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS time, end_time, start_day AS day, 'toxicity' AS kind, 'episode' AS element,
        'CRS episodes' AS what, peak_grade AS value, 'peak grade ' || peak_grade AS detail, 3 AS rank,
        'rule crs_episode, number ' || number AS source
    FROM crs_episode WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS time, end_time, start_day AS day, 'toxicity' AS kind, 'episode' AS element,
        'ICANS episodes' AS what, peak_grade AS value, 'peak grade ' || peak_grade AS detail, 5 AS rank,
        'rule icans_episode, number ' || number AS source
    FROM icans_episode WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS time, end_time, start_day AS day, 'drug' AS kind, 'course' AS element,
        'Steroid courses' AS what, dexamethasone_mg AS value, 'mg' AS unit,
        concat_ws('; ', doses || if(doses = 1, ' dose on ', ' doses on ') || days || if(days = 1, ' day', ' days'),
            'dexamethasone equivalent') AS detail,
        6 AS rank, 'rule steroid_course, number ' || number AS source
    FROM steroid_course WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS time, end_time, start_day AS day, 'drug' AS kind, 'course' AS element,
        'Tocilizumab courses' AS what, total_mg AS value, 'mg' AS unit,
        doses || if(doses = 1, ' dose on ', ' doses on ') || days || if(days = 1, ' day', ' days') AS detail, 7 AS rank,
        'rule tocilizumab_window, number ' || number AS source
    FROM tocilizumab_window WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS time, end_time, start_day AS day, 'window' AS kind, 'anakinra' AS element,
        'Anakinra ' || number AS what, total_mg AS value, 'mg' AS unit,
        doses || if(doses = 1, ' dose on ', ' doses on ') || days || if(days = 1, ' day', ' days') AS detail, 0 AS rank,
        'rule anakinra_window, number ' || number AS source
    FROM anakinra_window WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT steroid_time AS time, window_end AS end_time, CAST(NULL AS INTEGER) AS day, 'window' AS kind,
        'steroid' AS element, 'Steroids: ' || status AS what,
        concat_ws('; ', 'ICANS grade at the steroid ' || grade_at_steroid, 'best in the time given ' || best_grade)
            AS detail, 0 AS rank, 'rule steroid_refractory, number ' || number AS source
    FROM steroid_refractory WHERE patient_id = $patient AND steroid_time IS NOT NULL
),
start AS (
    SELECT coalesce(i.infused, e.first) AS origin,
        CASE WHEN i.infused IS NOT NULL THEN 'infusion' WHEN e.first IS NOT NULL THEN 'first event (no infusion)' END
            AS origin_name
    FROM (SELECT min(time) AS infused FROM infusion WHERE patient_id = $patient) AS i,
        (SELECT min(time) AS first FROM item) AS e
)
SELECT i.time, i.end_time, i.day, i.kind, i.element, i.what, CAST(i.value AS DOUBLE) AS value,
    replace(replace(replace(replace(i.unit, '10*9/L', '10^9/L'), 'mm[Hg]', 'mmHg'), 'Cel', '°C'), 'ug/', 'µg/') AS unit,
    i.bound, i.low, i.high, i.detail, coalesce(i.implausible, FALSE) AS implausible,
    coalesce(i.logarithmic, FALSE) AS logarithmic, i.rank, s.origin, s.origin_name, i.source_file, i.source_row, i.source
FROM item AS i, start AS s
ORDER BY i.time, i.end_time, i.kind, i.what, i.source_file, i.source_row, i.source
