/*
title: Summary of one patient
question: Who is this patient, what was given, how bad did it become, and how did it end?
reads: [patient, event, infusion, crs_grade, icans_grade, steroid_course, steroid_refractory, anakinra_window,
  anakinra_response, tocilizumab_window, outcome, cohort]
params:
  patient: {meaning: the patient's id}
returns:
  label: what
  value: the answer; `unknown` where nothing says so
  detail: when, or of how many
section: patient
order: 10
show: cards
empty: Nothing is known of this patient.
*/
WITH i AS (SELECT min(time) AS time, arg_min(product, number) AS product FROM infusion WHERE patient_id = $patient),
p AS (SELECT any_value(sex) AS sex, any_value(birth_date) AS birth_date FROM patient WHERE patient_id = $patient),
disease AS (
    SELECT string_agg(DISTINCT text, ', ' ORDER BY text) AS names FROM event
    WHERE patient_id = $patient AND concept = 'disease'
),
c AS (SELECT * FROM cohort WHERE patient_id = $patient),
o AS (SELECT * FROM outcome WHERE patient_id = $patient),
crs AS (
    SELECT max(grade) AS peak, min(day) FILTER (WHERE grade = (SELECT max(grade) FROM crs_grade WHERE patient_id = $patient))
        AS day FROM crs_grade WHERE patient_id = $patient
),
icans AS (
    SELECT max(grade) AS peak,
        min(day) FILTER (WHERE grade = (SELECT max(grade) FROM icans_grade WHERE patient_id = $patient)) AS day
    FROM icans_grade WHERE patient_id = $patient
),
refractory AS (
    SELECT count(*) AS episodes, string_agg(status, ', ' ORDER BY number) AS status FROM steroid_refractory
    WHERE patient_id = $patient
),
steroid AS (
    SELECT count(*) AS courses, sum(doses) AS doses, min(start_day) AS first_day, max(end_day) AS last_day,
        sum(dexamethasone_mg ORDER BY number) AS mg
    FROM steroid_course WHERE patient_id = $patient
),
anakinra AS (
    SELECT count(*) AS windows, sum(doses) AS doses, min(start_day) AS first_day, max(end_day) AS last_day,
        sum(total_mg ORDER BY number) AS mg
    FROM anakinra_window WHERE patient_id = $patient
),
tocilizumab AS (
    SELECT count(*) AS windows, sum(doses) AS doses, min(start_day) AS first_day, max(end_day) AS last_day
    FROM tocilizumab_window WHERE patient_id = $patient
),
response AS (
    SELECT count(*) AS windows, arg_min(responded, number) AS responded, arg_min(icans_before, number) AS icans_before,
        arg_min(icans_after, number) AS icans_after, arg_min(crs_before, number) AS crs_before,
        arg_min(crs_after, number) AS crs_after
    FROM anakinra_response WHERE patient_id = $patient
),
fact AS (
    SELECT 1 AS place, 'Cohort' AS label,
        CASE WHEN c.included THEN 'included' WHEN NOT c.included THEN 'not included' ELSE 'unknown' END AS value,
        CASE WHEN NOT c.included THEN 'first step that failed: ' || c.excluded_at END AS detail
    FROM p LEFT JOIN c ON TRUE
    UNION ALL
    SELECT 2, 'Age at infusion', coalesce(date_sub('year', p.birth_date, CAST(i.time AS DATE)) || ' years', 'unknown'),
        CASE WHEN p.birth_date IS NULL THEN 'no date of birth' WHEN i.time IS NULL THEN 'no infusion' END FROM p, i
    UNION ALL
    SELECT 3, 'Sex', coalesce(p.sex, 'unknown'), NULL FROM p
    UNION ALL
    SELECT 4, 'Disease', coalesce(disease.names, 'unknown'), NULL FROM disease
    UNION ALL
    SELECT 5, 'Product', coalesce(replace(i.product, '_', ' '), 'no infusion'),
        'infused ' || strftime(i.time, '%Y-%m-%d %H:%M') FROM i
    UNION ALL
    SELECT 6, 'Peak CRS grade', coalesce(CAST(crs.peak AS VARCHAR), 'unknown'),
        coalesce('first on day ' || crs.day, 'never assessed') FROM crs
    UNION ALL
    SELECT 7, 'Peak ICANS grade', coalesce(CAST(icans.peak AS VARCHAR), 'unknown'),
        coalesce('first on day ' || icans.day, 'never assessed') FROM icans
    UNION ALL
    SELECT 8, 'ICANS under steroids', coalesce(refractory.status, CASE WHEN icans.peak IS NULL THEN 'unknown' ELSE 'no ICANS episode' END),
        CASE WHEN episodes > 1 THEN episodes || ' episodes' END FROM refractory, icans
    UNION ALL
    SELECT 9, 'Systemic steroids', CASE WHEN courses = 0 THEN 'none recorded' ELSE doses || if(doses = 1, ' dose', ' doses') END,
        CASE WHEN courses > 0 THEN concat_ws('; ',
            coalesce('days ' || first_day || ' to ' || last_day, 'day not known, without an infusion'),
            coalesce(printf('%.6g mg dexamethasone equivalent', mg), 'amount unknown')) END FROM steroid
    UNION ALL
    SELECT 10, 'Tocilizumab', CASE WHEN windows = 0 THEN 'none recorded' ELSE doses || if(doses = 1, ' dose', ' doses') END,
        CASE WHEN windows > 0 THEN
            coalesce('days ' || first_day || ' to ' || last_day, 'day not known, without an infusion') END FROM tocilizumab
    UNION ALL
    SELECT 11, 'Anakinra', CASE WHEN windows = 0 THEN 'none recorded' ELSE doses || if(doses = 1, ' dose', ' doses') END,
        CASE WHEN windows > 0 THEN concat_ws('; ', windows || if(windows = 1, ' window', ' windows'),
            coalesce('days ' || first_day || ' to ' || last_day, 'day not known, without an infusion'),
            coalesce(printf('%.6g mg', mg), 'amount unknown')) END FROM anakinra
    UNION ALL
    SELECT 12, 'Answer to anakinra',
        CASE WHEN windows = 0 THEN 'not applicable' WHEN responded THEN 'improved' WHEN NOT responded THEN 'not improved'
            ELSE 'unknown' END,
        CASE WHEN windows > 0 THEN 'first window: ICANS ' || coalesce(CAST(icans_before AS VARCHAR), 'unknown') || ' to '
            || coalesce(CAST(icans_after AS VARCHAR), 'unknown') || ', CRS '
            || coalesce(CAST(crs_before AS VARCHAR), 'unknown') || ' to '
            || coalesce(CAST(crs_after AS VARCHAR), 'unknown') END FROM response
    UNION ALL
    SELECT 13, 'Best response of the disease', coalesce(o.best_response, 'unknown'),
        CASE WHEN o.best_response IS NULL THEN 'no assessment after an infusion' END FROM p LEFT JOIN o ON TRUE
    UNION ALL
    SELECT 14, 'Outcome', CASE WHEN o.died THEN 'died' WHEN NOT o.died THEN 'alive when last known' ELSE 'unknown' END,
        coalesce('day ' || o.os_days || coalesce(': ' || o.cause, ''),
            CASE WHEN o.died THEN 'on a day that is not known' END, 'no infusion to count from')
    FROM p LEFT JOIN o ON TRUE
)
SELECT label, value, detail FROM fact ORDER BY place
