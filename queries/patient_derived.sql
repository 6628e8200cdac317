/*
title: What the rules derived of one patient
question: Which episodes, courses, windows, states and pairs were derived of this patient, in order of time?
reads: [infusion, crs_episode, icans_episode, steroid_course, tocilizumab_window, anakinra_window, steroid_refractory,
  anakinra_response, lab_pair, cytokine_pair, outcome, cohort, concept]
params:
  patient: {meaning: the patient's id}
returns:
  begin: when it begins, or happened
  until: when it ends
  first_day: {meaning: calendar days since the infusion, unit: d}
  last_day: {meaning: calendar days since the infusion to its end, unit: d}
  what: what was derived
  result: its result
  detail: the numbers behind it
  rule: the rule that derived it
  number: number of the row among this patient's of the rule
section: patient
order: 30
empty: No rule found anything of this patient.
*/
WITH c AS (
    SELECT concept, regexp_replace(title, '(;|, text).*$', '') AS title FROM concept
),
item AS (
    SELECT time AS begin, day AS first_day, 'Infusion' AS what, replace(product, '_', ' ') AS result,
        'infusion' AS rule, number
    FROM infusion WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day, 'CRS episode' AS what,
        'peak grade ' || peak_grade AS result, 'peak at ' || strftime(peak_time, '%Y-%m-%d %H:%M') AS detail,
        'crs_episode' AS rule, number
    FROM crs_episode WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day, 'ICANS episode' AS what,
        'peak grade ' || peak_grade AS result, 'peak at ' || strftime(peak_time, '%Y-%m-%d %H:%M') AS detail,
        'icans_episode' AS rule, number
    FROM icans_episode WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day, 'Steroid course' AS what,
        doses || if(doses = 1, ' dose', ' doses') AS result,
        concat_ws('; ', coalesce(printf('%.6g mg dexamethasone equivalent', dexamethasone_mg), 'amount unknown'),
            'on ' || days || if(days = 1, ' day', ' days')) AS detail, 'steroid_course' AS rule, number
    FROM steroid_course WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day,
        'Tocilizumab window' AS what, doses || if(doses = 1, ' dose', ' doses') AS result,
        concat_ws('; ', coalesce(printf('%.6g mg', total_mg), 'amount unknown'),
            'on ' || days || if(days = 1, ' day', ' days')) AS detail, 'tocilizumab_window' AS rule, number
    FROM tocilizumab_window WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day,
        'Anakinra window' AS what, doses || if(doses = 1, ' dose', ' doses') AS result,
        concat_ws('; ', coalesce(printf('%.6g mg', total_mg), 'amount unknown'),
            'on ' || days || if(days = 1, ' day', ' days')) AS detail, 'anakinra_window' AS rule, number
    FROM anakinra_window WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT coalesce(steroid_time, start_time) AS begin, window_end AS until, start_day AS first_day, end_day AS last_day,
        'ICANS under steroids' AS what, status AS result,
        concat_ws('; ', 'grade at the steroid ' || coalesce(CAST(grade_at_steroid AS VARCHAR), 'unknown'),
            'best in the time given ' || coalesce(CAST(best_grade AS VARCHAR), 'unknown'),
            'episode ' || icans_number) AS detail, 'steroid_refractory' AS rule, number
    FROM steroid_refractory WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT start_time AS begin, end_time AS until, start_day AS first_day, end_day AS last_day,
        'Answer to anakinra' AS what,
        CASE WHEN responded THEN 'improved' WHEN NOT responded THEN 'not improved' ELSE 'unknown' END AS result,
        'ICANS ' || coalesce(CAST(icans_before AS VARCHAR), 'unknown') || ' to '
            || coalesce(CAST(icans_after AS VARCHAR), 'unknown') || ', CRS '
            || coalesce(CAST(crs_before AS VARCHAR), 'unknown') || ' to '
            || coalesce(CAST(crs_after AS VARCHAR), 'unknown') AS detail, 'anakinra_response' AS rule, number
    FROM anakinra_response WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT coalesce(before_time, after_time) AS begin, after_time AS until,
        'Before and after, window ' || window_number || ': ' || c.title AS what,
        CASE WHEN complete THEN printf('%.6g to %.6g', before_value, after_value) || coalesce(' ' || replace(replace(l.unit, 'Cel', '°C'), '10*9/L', '10^9/L'), '')
            ELSE 'missing: ' || missing END AS result,
        concat_ws('; ', printf('change %+.6g', change), printf('%+.1f %%', percent_change)) AS detail,
        'lab_pair' AS rule, number
    FROM lab_pair AS l LEFT JOIN c ON c.concept = l.analyte WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT coalesce(before_time, after_time, baseline_time) AS begin, after_time AS until,
        'Before and after, window ' || window_number || ': ' || c.title AS what,
        CASE WHEN complete THEN printf('%.6g to %.6g', before_value, after_value) || coalesce(' ' || replace(replace(l.unit, 'Cel', '°C'), '10*9/L', '10^9/L'), '')
            ELSE 'missing: ' || missing END AS result,
        concat_ws('; ', printf('baseline %.6g', baseline_value), printf('change %+.6g', change)) AS detail,
        'cytokine_pair' AS rule, number
    FROM cytokine_pair AS l LEFT JOIN c ON c.concept = l.analyte WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT CASE WHEN os_days IS NOT NULL THEN last_time END AS begin, os_days AS first_day, 'Outcome' AS what,
        CASE WHEN died AND os_days IS NULL THEN 'died, on a day that is not known' WHEN died THEN 'died' WHEN NOT died THEN 'alive when last known' ELSE 'unknown' END AS result,
        concat_ws('; ', cause, 'best response ' || coalesce(best_response, 'unknown')) AS detail, 'outcome' AS rule,
        number
    FROM outcome WHERE patient_id = $patient
    UNION ALL BY NAME
    SELECT 'Cohort' AS what, CASE WHEN included THEN 'included' WHEN NOT included THEN 'not included' ELSE 'unknown' END
        AS result, 'first step that failed: ' || excluded_at AS detail, 'cohort' AS rule, number
    FROM cohort WHERE patient_id = $patient
)
SELECT begin, until, first_day, last_day, what, result, detail, rule, number
FROM item
ORDER BY begin, until, what, rule, number
