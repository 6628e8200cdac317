-- The five rules of the benchmark as one careful analyst would write them for this one study, without evidence,
-- names or parameters: what the compiled rules are measured against. Same answers, or the benchmark says so.

-- observation
CREATE TEMP TABLE by_hand_observation AS
SELECT patient_id, "time", CASE WHEN end_time >= "time" THEN end_time END AS end_time, concept, value, bound, "text", route
FROM meta.event
WHERE NOT implausible AND "time" IS NOT NULL AND concept IN (
    'axicabtagene_ciloleucel', 'tisagenlecleucel', 'brexucabtagene_autoleucel', 'lisocabtagene_maraleucel',
    'idecabtagene_vicleucel', 'ciltacabtagene_autoleucel', 'dexamethasone', 'methylprednisolone', 'prednisone',
    'prednisolone', 'hydrocortisone', 'anakinra', 'tocilizumab', 'siltuximab', 'temperature', 'systolic_bp',
    'mean_arterial_pressure', 'oxygen_device', 'norepinephrine', 'epinephrine', 'phenylephrine', 'dopamine',
    'vasopressin', 'documented_crs_grade', 'documented_icans_grade', 'ice_score', 'consciousness', 'seizure',
    'motor_weakness', 'cerebral_edema', 'crp', 'ferritin', 'neutrophils', 'platelets');

-- infusion
CREATE TEMP TABLE by_hand_infusion AS
SELECT patient_id, min("time") AS "time", arg_min(concept, ("time", concept)) AS product
FROM by_hand_observation
WHERE concept IN ('axicabtagene_ciloleucel', 'tisagenlecleucel', 'brexucabtagene_autoleucel',
    'lisocabtagene_maraleucel', 'idecabtagene_vicleucel', 'ciltacabtagene_autoleucel')
GROUP BY patient_id;

-- steroid_dose
CREATE TEMP TABLE by_hand_steroid_dose AS
SELECT patient_id, "time", value * CASE concept
    WHEN 'dexamethasone' THEN 1 WHEN 'methylprednisolone' THEN 0.1875 WHEN 'prednisone' THEN 0.15
    WHEN 'prednisolone' THEN 0.15 WHEN 'hydrocortisone' THEN 0.0375 END AS mg
FROM by_hand_observation
WHERE concept IN ('dexamethasone', 'methylprednisolone', 'prednisone', 'prednisolone', 'hydrocortisone')
    AND (value IS NULL OR value > 0 OR (value = 0 AND bound IN ('>', '>=')))
    AND (route IS NULL OR route IN ('intravenous', 'oral', 'intramuscular', 'subcutaneous', 'enteral'));

-- steroid_course
CREATE TEMP TABLE by_hand_steroid_course AS
WITH begun AS (
    SELECT *, "time" <= lag("time") OVER so_far + INTERVAL 48 HOUR AS goes_on
    FROM by_hand_steroid_dose WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time")
), numbered AS (
    SELECT *, count_if(goes_on IS NOT TRUE) OVER (PARTITION BY patient_id ORDER BY "time") AS number FROM begun
)
SELECT patient_id, number, min("time") AS start_time, max("time") AS end_time, count(*) AS doses,
    count(DISTINCT "time"::DATE) AS days, sum(mg) AS dexamethasone_mg
FROM numbered GROUP BY patient_id, number;

-- anakinra_window
CREATE TEMP TABLE by_hand_anakinra_window AS
WITH begun AS (
    SELECT *, "time" <= lag("time") OVER so_far + INTERVAL 48 HOUR AS goes_on
    FROM by_hand_observation
    WHERE concept = 'anakinra' AND (value IS NULL OR value > 0 OR (value = 0 AND bound IN ('>', '>=')))
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time")
), numbered AS (
    SELECT *, count_if(goes_on IS NOT TRUE) OVER (PARTITION BY patient_id ORDER BY "time") AS number FROM begun
)
SELECT patient_id, number, min("time") AS start_time, max("time") AS end_time, count(*) AS doses,
    count(DISTINCT "time"::DATE) AS days, sum(value) AS total_mg, min(value) AS min_mg, max(value) AS max_mg
FROM numbered GROUP BY patient_id, number;

-- crs_grade
CREATE TEMP TABLE by_hand_crs_grade AS
-- A level and its time are one number, time * 8 + level: the latest is carried along, the worst wins a tie.
WITH seen AS (
    SELECT o.patient_id, o."time", o.end_time, o.concept, epoch_us(o."time") * 8 + CASE o.concept
        WHEN 'documented_crs_grade' THEN CASE WHEN bound IS NULL AND value IN (0, 1, 2, 3, 4, 5) THEN value::BIGINT END
        WHEN 'temperature' THEN CASE WHEN round(value, 1) > 38
            OR (round(value, 1) = 38 AND (bound IN ('<', '<=')) IS NOT TRUE) THEN 1 WHEN value IS NOT NULL THEN 0 END
        WHEN 'systolic_bp' THEN CASE WHEN value < 90 OR (value = 90 AND bound IN ('<', '<=')) THEN 2
            WHEN value IS NOT NULL THEN 0 END
        WHEN 'mean_arterial_pressure' THEN CASE WHEN value < 65 OR (value = 65 AND bound IN ('<', '<=')) THEN 2
            WHEN value IS NOT NULL THEN 0 END
        WHEN 'oxygen_device' THEN CASE
            WHEN "text" IN ('nasal_cannula', 'high_flow_cannula') AND (value > 6 OR (value = 6 AND bound IN ('>', '>=')))
                THEN 3
            WHEN "text" IN ('nasal_cannula', 'high_flow_cannula') AND value IS NOT NULL THEN 2
            WHEN "text" = 'none' THEN 0 WHEN "text" IN ('nasal_cannula', 'blow_by') THEN 2
            WHEN "text" IN ('high_flow_cannula', 'face_mask', 'nonrebreather', 'venturi') THEN 3
            WHEN "text" IN ('cpap', 'bipap', 'ventilator') THEN 4 END
        ELSE CASE WHEN value IS NULL OR value > 0 OR (value = 0 AND bound IN ('>', '>=')) THEN 1 END END AS packed
    FROM by_hand_observation AS o JOIN by_hand_infusion AS i ON i.patient_id = o.patient_id AND o."time" >= i."time"
    WHERE o.concept IN ('documented_crs_grade', 'temperature', 'systolic_bp', 'mean_arterial_pressure', 'oxygen_device',
        'norepinephrine', 'epinephrine', 'phenylephrine', 'dopamine', 'vasopressin')
), treated AS (
    SELECT patient_id, "time" FROM by_hand_steroid_dose
    UNION ALL
    SELECT patient_id, "time" FROM by_hand_observation
    WHERE concept IN ('tocilizumab', 'siltuximab', 'anakinra')
        AND (value IS NULL OR value > 0 OR (value = 0 AND bound IN ('>', '>=')))
), points AS (
    SELECT patient_id, "time", max(packed) FILTER (concept = 'documented_crs_grade') AS documented,
        max(packed) FILTER (concept = 'temperature') AS fever, max(packed) FILTER (concept = 'systolic_bp') AS systolic,
        max(packed) FILTER (concept = 'mean_arterial_pressure') AS mean_pressure, NULL::TIMESTAMP AS treated,
        min("time") FILTER (concept = 'temperature' AND packed & 7 = 1) AS fever_time, TRUE AS observed
    FROM seen WHERE packed IS NOT NULL GROUP BY patient_id, "time"
    UNION ALL
    SELECT patient_id, "time", NULL, NULL, NULL, NULL, "time", NULL, FALSE FROM treated
), carried AS (
    SELECT patient_id, "time", observed, last_value(documented IGNORE NULLS) OVER so_far AS documented,
        last_value(fever IGNORE NULLS) OVER so_far AS fever, last_value(systolic IGNORE NULLS) OVER so_far AS systolic,
        last_value(mean_pressure IGNORE NULLS) OVER so_far AS mean_pressure,
        last_value(treated IGNORE NULLS) OVER so_far AS treated,
        first_value(fever_time IGNORE NULLS) OVER so_far AS first_fever
    FROM points WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time", observed ROWS UNBOUNDED PRECEDING)
), known AS (
    SELECT patient_id, "time", epoch_us("time") AS now,
        CASE WHEN documented // 8 + 86400000000 >= epoch_us("time") THEN documented END AS documented,
        CASE WHEN fever // 8 + 86400000000 >= epoch_us("time") THEN fever END AS fever,
        CASE WHEN systolic // 8 + 21600000000 >= epoch_us("time") THEN systolic END AS systolic,
        CASE WHEN mean_pressure // 8 + 21600000000 >= epoch_us("time") THEN mean_pressure END AS mean_pressure,
        first_fever IS NOT NULL AND coalesce("time" <= treated + INTERVAL 48 HOUR, FALSE) AS waived
    FROM carried WHERE observed
), spans AS (
    SELECT patient_id, concept, "time", packed,
        coalesce(end_time, "time" + CASE concept WHEN 'oxygen_device' THEN INTERVAL 12 HOUR ELSE INTERVAL 6 HOUR END) AS until
    FROM seen WHERE packed IS NOT NULL AND concept IN
        ('oxygen_device', 'norepinephrine', 'epinephrine', 'phenylephrine', 'dopamine', 'vasopressin')
), supported AS (
    SELECT k.patient_id, k."time", max(s.packed) FILTER (s.concept = 'oxygen_device') AS oxygen,
        count(DISTINCT s.concept) FILTER (s.concept NOT IN ('oxygen_device', 'vasopressin')
            AND (k.documented IS NULL OR s.packed // 8 > k.documented // 8)) AS pressors,
        bool_or(s.concept = 'vasopressin' AND (k.documented IS NULL OR s.packed // 8 > k.documented // 8)) AS vasopressin
    FROM known AS k JOIN spans AS s ON s.patient_id = k.patient_id AND s."time" <= k."time" AND s.until >= k."time"
    GROUP BY k.patient_id, k."time"
), counted AS (
    SELECT k.patient_id, k."time", k.documented & 7 AS documented, k.waived,
        CASE WHEN k.documented & 7 >= 1 THEN TRUE WHEN k.fever // 8 <= k.documented // 8 THEN NULL
             ELSE k.fever & 7 = 1 END AS febrile,
        greatest(CASE WHEN (k.systolic // 8 <= k.documented // 8) IS NOT TRUE THEN k.systolic & 7 END,
            CASE WHEN (k.mean_pressure // 8 <= k.documented // 8) IS NOT TRUE THEN k.mean_pressure & 7 END,
            CASE WHEN s.pressors >= 2 THEN 4 WHEN s.pressors >= 1 OR s.vasopressin THEN 3 END) AS hypotension,
        CASE WHEN (s.oxygen // 8 <= k.documented // 8) IS NOT TRUE THEN s.oxygen & 7 END AS hypoxia
    FROM known AS k LEFT JOIN supported AS s ON s.patient_id = k.patient_id AND s."time" = k."time"
), graded AS (
    SELECT *, greatest(documented, CASE WHEN febrile THEN greatest(1, hypotension, hypoxia)
        WHEN waived THEN greatest(0, hypotension, hypoxia) WHEN NOT febrile THEN 0 END) AS grade
    FROM counted
)
SELECT patient_id, row_number() OVER (PARTITION BY patient_id ORDER BY "time") AS number, "time", grade, hypotension,
    hypoxia, waived, febrile
FROM graded WHERE grade IS NOT NULL;

-- crs_episode
CREATE TEMP TABLE by_hand_crs_episode AS
WITH begun AS (
    SELECT *, "time" <= lag("time") OVER so_far + INTERVAL 48 HOUR AS goes_on
    FROM by_hand_crs_grade WHERE grade >= 1 WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time")
), numbered AS (
    SELECT * EXCLUDE (number), count_if(goes_on IS NOT TRUE) OVER (PARTITION BY patient_id ORDER BY "time") AS number
    FROM begun
)
SELECT patient_id, number, min("time") AS start_time, max("time") AS end_time, max(grade) AS peak_grade,
    arg_min("time", (-grade, "time")) AS peak_time
FROM numbered GROUP BY patient_id, number;

-- icans_grade
CREATE TEMP TABLE by_hand_icans_grade AS
WITH seen AS (
    SELECT o.patient_id, o."time", o.concept, epoch_us(o."time") * 8 + CASE o.concept
        WHEN 'documented_icans_grade' THEN CASE WHEN bound IS NULL AND value IN (0, 1, 2, 3, 4, 5) THEN value::BIGINT END
        WHEN 'ice_score' THEN CASE WHEN value < 0 OR value > 10 OR value <> floor(value) THEN NULL
            WHEN value < 3 OR (value = 3 AND bound IN ('<', '<=')) THEN 3
            WHEN value < 7 OR (value = 7 AND bound IN ('<', '<=')) THEN 2
            WHEN value < 10 OR (value = 10 AND bound IN ('<', '<=')) THEN 1 WHEN value = 10 THEN 0 END
        WHEN 'consciousness' THEN CASE "text" WHEN 'alert' THEN 0 WHEN 'awake' THEN 1 WHEN 'voice' THEN 2
            WHEN 'tactile' THEN 3 WHEN 'unarousable' THEN 4 END
        WHEN 'seizure' THEN CASE "text" WHEN 'brief' THEN 3 WHEN 'prolonged' THEN 4 END
        WHEN 'motor_weakness' THEN CASE "text" WHEN 'focal_deep' THEN 4 END
        ELSE CASE "text" WHEN 'focal' THEN 3 WHEN 'diffuse' THEN 4 END END AS packed
    FROM by_hand_observation AS o JOIN by_hand_infusion AS i ON i.patient_id = o.patient_id AND o."time" >= i."time"
    WHERE o.concept IN ('documented_icans_grade', 'ice_score', 'consciousness', 'seizure', 'motor_weakness',
        'cerebral_edema')
), points AS (
    SELECT patient_id, "time", max(packed) FILTER (concept = 'documented_icans_grade') AS documented,
        max(packed) FILTER (concept = 'ice_score') AS ice, max(packed) FILTER (concept = 'consciousness') AS conscious,
        max(packed) FILTER (concept = 'seizure') AS seizure, max(packed) FILTER (concept = 'motor_weakness') AS motor,
        max(packed) FILTER (concept = 'cerebral_edema') AS edema
    FROM seen WHERE packed IS NOT NULL GROUP BY patient_id, "time"
), carried AS (
    SELECT patient_id, "time", epoch_us("time") - 86400000000 AS since,
        last_value(documented IGNORE NULLS) OVER so_far AS documented, last_value(ice IGNORE NULLS) OVER so_far AS ice,
        last_value(conscious IGNORE NULLS) OVER so_far AS conscious,
        last_value(seizure IGNORE NULLS) OVER so_far AS seizure, last_value(motor IGNORE NULLS) OVER so_far AS motor,
        last_value(edema IGNORE NULLS) OVER so_far AS edema
    FROM points WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time" ROWS UNBOUNDED PRECEDING)
), known AS (
    SELECT patient_id, "time", CASE WHEN documented // 8 >= since THEN documented END AS documented,
        CASE WHEN ice // 8 >= since THEN ice END AS ice,
        CASE WHEN conscious // 8 >= since THEN conscious END AS conscious,
        CASE WHEN seizure // 8 >= since THEN seizure END AS seizure,
        CASE WHEN motor // 8 >= since THEN motor END AS motor, CASE WHEN edema // 8 >= since THEN edema END AS edema
    FROM carried
), graded AS (
    SELECT patient_id, "time", CASE WHEN documented IS NULL OR ice // 8 > documented // 8
        THEN greatest(ice & 7, conscious & 7, seizure & 7, motor & 7, edema & 7)
        ELSE greatest(documented & 7, CASE WHEN conscious // 8 > documented // 8 THEN conscious & 7 END,
            CASE WHEN seizure // 8 > documented // 8 THEN seizure & 7 END,
            CASE WHEN motor // 8 > documented // 8 THEN motor & 7 END,
            CASE WHEN edema // 8 > documented // 8 THEN edema & 7 END) END AS grade
    FROM known
)
SELECT patient_id, row_number() OVER (PARTITION BY patient_id ORDER BY "time") AS number, "time", grade
FROM graded WHERE grade IS NOT NULL;

-- icans_episode
CREATE TEMP TABLE by_hand_icans_episode AS
WITH begun AS (
    SELECT *, "time" <= lag("time") OVER so_far + INTERVAL 48 HOUR AS goes_on
    FROM by_hand_icans_grade WHERE grade >= 1 WINDOW so_far AS (PARTITION BY patient_id ORDER BY "time")
), numbered AS (
    SELECT * EXCLUDE (number), count_if(goes_on IS NOT TRUE) OVER (PARTITION BY patient_id ORDER BY "time") AS number
    FROM begun
)
SELECT patient_id, number, min("time") AS start_time, max("time") AS end_time, max(grade) AS peak_grade,
    arg_min("time", (-grade, "time")) AS peak_time
FROM numbered GROUP BY patient_id, number;

-- steroid_refractory
CREATE TEMP TABLE by_hand_steroid_refractory AS
WITH treated AS (
    SELECT e.patient_id, e.number, any_value(e.start_time) AS start_time, min(d."time") AS steroid_time
    FROM by_hand_icans_episode AS e LEFT JOIN by_hand_steroid_dose AS d
        ON d.patient_id = e.patient_id AND d."time" BETWEEN e.start_time AND e.end_time + INTERVAL 24 HOUR
    GROUP BY e.patient_id, e.number
), watched AS (
    SELECT t.*, CASE WHEN i.product = 'tisagenlecleucel'
        THEN greatest(date_trunc('day', steroid_time) + INTERVAL 24 HOUR, steroid_time + INTERVAL 6 HOUR)
        ELSE steroid_time + INTERVAL 24 HOUR END AS window_end
    FROM treated AS t LEFT JOIN by_hand_infusion AS i USING (patient_id)
), judged AS (
    SELECT w.patient_id, w.number, any_value(steroid_time) AS steroid_time, any_value(window_end) AS window_end,
        arg_max(g.grade, g."time") FILTER (g."time" <= w.steroid_time) AS grade_at_steroid,
        min(g.grade) FILTER (g."time" > w.steroid_time) AS best_grade
    FROM watched AS w LEFT JOIN by_hand_icans_grade AS g
        ON g.patient_id = w.patient_id AND g."time" BETWEEN w.start_time AND w.window_end
    GROUP BY w.patient_id, w.number
)
SELECT patient_id, number, steroid_time, grade_at_steroid, window_end, best_grade,
    CASE WHEN steroid_time IS NULL OR grade_at_steroid < 1 THEN 'untreated' WHEN best_grade IS NULL THEN 'indeterminate'
         WHEN best_grade < grade_at_steroid THEN 'responsive' ELSE 'refractory' END AS status
FROM judged;

-- lab_pair
CREATE TEMP TABLE by_hand_lab_pair AS
WITH readings AS (
    SELECT patient_id, "time", concept AS analyte,
        CASE WHEN concept IN ('neutrophils', 'platelets') THEN min(value) ELSE max(value) END AS value
    FROM by_hand_observation
    WHERE concept IN ('temperature', 'crp', 'ferritin', 'neutrophils', 'platelets') AND value IS NOT NULL
        AND patient_id IN (SELECT patient_id FROM by_hand_anakinra_window)
    GROUP BY patient_id, "time", concept
), around AS (
    SELECT w.patient_id, w.number, r.analyte, r."time", r.value, r."time" <= w.start_time AS before,
        CASE r.analyte WHEN 'temperature' THEN w.end_time + INTERVAL 24 HOUR ELSE w.end_time + INTERVAL 28 DAY END AS target,
        w.end_time + INTERVAL 24 HOUR AS next_day
    FROM by_hand_anakinra_window AS w JOIN readings AS r
        ON r.patient_id = w.patient_id AND r."time" BETWEEN w.start_time - INTERVAL 48 HOUR AND w.end_time + INTERVAL 32 DAY
    WHERE CASE WHEN r."time" <= w.start_time
            THEN r.analyte <> 'temperature' OR r."time" >= w.start_time - INTERVAL 24 HOUR
        WHEN r.analyte = 'temperature' THEN r."time" > w.end_time AND r."time" <= w.end_time + INTERVAL 24 HOUR
        WHEN r.analyte IN ('crp', 'ferritin') THEN r."time" > w.end_time AND r."time" <= w.end_time + INTERVAL 48 HOUR
        ELSE r."time" >= w.end_time + INTERVAL 22 DAY END
), picked AS (
    SELECT patient_id, number, analyte, CASE analyte
            WHEN 'temperature' THEN arg_min((value, "time"), (-value, "time")) FILTER (before)
            ELSE arg_max((value, "time"), "time") FILTER (before) END AS before,
        CASE analyte WHEN 'temperature' THEN arg_min((value, "time"), (-value, "time")) FILTER (NOT before)
            WHEN 'crp' THEN arg_min((value, "time"), (abs(epoch_us("time") - epoch_us(next_day)), "time")) FILTER (NOT before)
            WHEN 'ferritin' THEN arg_min((value, "time"), (abs(epoch_us("time") - epoch_us(next_day)), "time"))
                FILTER (NOT before)
            ELSE arg_min((value, "time"), (abs(epoch_us("time") - epoch_us(target)), "time")) FILTER (NOT before)
            END AS after
    FROM around GROUP BY patient_id, number, analyte
)
SELECT w.patient_id, w.number AS window_number, a.analyte, struct_extract_at(p.before, 1) AS before_value,
    struct_extract_at(p.before, 2) AS before_time, struct_extract_at(p.after, 1) AS after_value,
    struct_extract_at(p.after, 2) AS after_time,
    (struct_extract_at(p.after, 1) - struct_extract_at(p.before, 1)) / nullif(struct_extract_at(p.before, 1), 0) * 100
        AS percent_change
FROM by_hand_anakinra_window AS w
CROSS JOIN (VALUES ('temperature'), ('crp'), ('ferritin'), ('neutrophils'), ('platelets')) AS a(analyte)
LEFT JOIN picked AS p ON p.patient_id = w.patient_id AND p.number = w.number AND p.analyte = a.analyte;
