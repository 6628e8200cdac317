/*
title: Clinical course of each patient
question: >
  When did each patient of the cohort have which CRS grade, how bad did ICANS become, and which treatment was
  given on which day, from the infusion to discharge (Wehrli et al. 2022, Figure 1)?
reads: [cohort, infusion, outcome, crs_grade, icans_grade, steroid_dose, event]
params:
  cohort_only: {default: true, meaning: false shows every patient with an infusion}
returns:
  product: CAR-T product, the panel
  patient_id: the patient, one lane each
  element: what this row shows
  start_day: {meaning: "first day, the infusion being day 0", unit: d}
  end_day: {meaning: last day, unit: d}
  value: grade, mg a day, or dose
  detail: the row in words
  stay_days: {meaning: days from the infusion to discharge or to death in hospital, unit: d}
section: course
order: 10
show: chart
empty: No patient is in the cohort; see the attrition above for the step at which the last one was lost.
caption: >
  Lanes last from the infusion to discharge or death in hospital, longest first. Coloured: the day's worst CRS grade, unfilled
  where none was recorded. Below it, a box a day with steroids, shaded by the dose. An asterisk behind an arrow: died
  after discharge. A lane with neither: how the stay ended is not
  known; without a bar, nor how long it was.
chart:
  kind: lanes
  lane: patient_id
  panel: product
  element: element
  start: start_day
  end: end_day
  value: value
  detail: detail
  order: stay_days
  count: true
  link: patient
  x: Days since CAR-T infusion (day 0)
  layers:
    tocilizumab: {mark: point, title: Tocilizumab, track: tocilizumab, shape: x, colour: blue}
    anakinra: {mark: point, title: Anakinra, track: anakinra, shape: star, colour: orange}
    stay: {mark: bar, title: Hospital stay, track: course}
    crs: {mark: graded, title: CRS grade, track: course, grades: [0, 1, 2, 3, 4, 5]}
    steroid: {mark: amount, title: Dexamethasone equivalent, track: steroid, unit: mg/day, breaks: [10, 20, 40, 80]}
    discharge: {mark: point, title: Discharged, track: course, shape: arrow, colour: green, offset: 8}
    death: {mark: point, title: Died, track: course, shape: asterisk, colour: ink, offset: 22}
    icans: {mark: column, title: Peak ICANS}
published: [F1-01, F1-02, F1-03, F1-04, F1-05, F1-06, F1-07, F1-08]
*/
WITH member AS (
    SELECT i.patient_id, i.time AS infused, replace(i.product, '_', ' ') AS product, o.death_time, o.cause,
        o.died AND o.death_time IS NULL AS undated,
        CAST(o.death_time AS DATE) - CAST(i.time AS DATE) AS death_day
    FROM infusion AS i
    LEFT JOIN cohort AS c ON c.patient_id = i.patient_id
    LEFT JOIN outcome AS o ON o.patient_id = i.patient_id
    WHERE c.included OR NOT $cohort_only
),
admission AS (
    -- The stay that holds the infusion; an empty end is unknown, not the end of data.
    SELECT m.patient_id, CAST(max(e.end_time) AS DATE) - CAST(m.infused AS DATE) AS discharge_day
    FROM member AS m
    JOIN event AS e ON e.patient_id = m.patient_id
    WHERE e.concept = 'hospitalization' AND e.time <= m.infused AND e.end_time >= m.infused
    GROUP BY m.patient_id, m.infused
),
course AS (
    SELECT m.*, CASE WHEN a.discharge_day IS NOT NULL THEN least(a.discharge_day, m.death_day) END AS last_day,
        -- Dead on the day of discharge is died in hospital; who died on an unknown day may have.
        a.discharge_day IS NOT NULL AND coalesce(m.death_day > a.discharge_day, NOT m.undated, TRUE) AS discharged
    FROM member AS m LEFT JOIN admission AS a ON a.patient_id = m.patient_id
),
crs_day AS (
    SELECT g.patient_id, g.day, max(g.grade) AS grade
    FROM crs_grade AS g JOIN course AS c ON c.patient_id = g.patient_id
    WHERE g.day >= 0
    GROUP BY g.patient_id, g.day
),
crs_run AS (
    -- Neighbouring days of one grade make one segment; a day without a grade stays a gap.
    SELECT patient_id, grade, day, day - row_number() OVER (PARTITION BY patient_id, grade ORDER BY day) AS island
    FROM crs_day
),
steroid_day AS (
    SELECT d.patient_id, d.day, sum(d.dexamethasone_mg ORDER BY d.number) AS mg, count(*) AS doses,
        count(*) - count(d.dexamethasone_mg) AS unknown
    FROM steroid_dose AS d JOIN course AS c ON c.patient_id = d.patient_id
    WHERE d.day >= 0 AND (c.last_day IS NULL OR d.day <= c.last_day)
    GROUP BY d.patient_id, d.day
),
drug_day AS (
    SELECT e.patient_id, e.day, e.concept, e.unit, sum(e.value ORDER BY e.event_id) AS dose, count(*) AS doses
    FROM event AS e JOIN course AS c ON c.patient_id = e.patient_id
    WHERE e.concept IN ('tocilizumab', 'anakinra') AND e.day >= 0 AND NOT e.implausible
        AND (e.value > 0 OR e.value IS NULL)
    GROUP BY e.patient_id, e.day, e.concept, e.unit
),
peak AS (
    SELECT g.patient_id, max(g.grade) AS grade, min(g.day) FILTER (WHERE g.grade = p.grade) AS day
    FROM icans_grade AS g
    JOIN (SELECT patient_id, max(grade) AS grade FROM icans_grade WHERE day >= 0 GROUP BY patient_id) AS p
        ON p.patient_id = g.patient_id
    WHERE g.day >= 0
    GROUP BY g.patient_id
),
element AS (
    SELECT patient_id, 'stay' AS element, 0 AS start_day, last_day AS end_day, last_day::DOUBLE AS value,
        last_day || ' days in hospital from the infusion' || if(undated, '; died, on a day that is not known', '') AS detail
    FROM course WHERE last_day IS NOT NULL
    UNION ALL
    SELECT patient_id, 'crs', min(day), max(day), grade, 'CRS grade ' || grade
    FROM crs_run GROUP BY patient_id, grade, island
    UNION ALL
    SELECT patient_id, 'steroid', day, day, mg,
        CASE WHEN mg IS NULL THEN doses || if(doses = 1, ' dose', ' doses') || ', amount not recorded'
            ELSE printf('%g mg in %d ', round(mg, 1), doses) || if(doses = 1, 'dose', 'doses')
                || CASE WHEN unknown > 0 THEN ', ' || unknown || ' more without an amount' ELSE '' END
        END
    FROM steroid_day
    UNION ALL
    SELECT patient_id, concept, day, day, dose,
        CASE WHEN dose IS NULL THEN doses || if(doses = 1, ' dose', ' doses') || ', amount not recorded'
            ELSE printf('%g %s in %d ', round(dose, 1), coalesce(unit, ''), doses) || if(doses = 1, 'dose', 'doses') END
    FROM drug_day
    UNION ALL
    SELECT patient_id, 'discharge', last_day, last_day, NULL, 'discharged alive on day ' || last_day
    FROM course WHERE discharged
    UNION ALL
    -- A death after discharge stands at the end of the lane, as in the paper.
    SELECT patient_id, 'death', coalesce(least(death_day, last_day), death_day),
        coalesce(least(death_day, last_day), death_day), death_day,
        'died on day ' || death_day || coalesce(': ' || cause, '')
    FROM course WHERE death_day IS NOT NULL
    UNION ALL
    SELECT c.patient_id, 'icans', p.day, p.day, p.grade,
        coalesce('peak ICANS grade ' || p.grade || ', first on day ' || p.day, 'ICANS never assessed')
    FROM course AS c LEFT JOIN peak AS p ON p.patient_id = c.patient_id
)
SELECT c.product, e.patient_id, e.element, e.start_day, e.end_day, e.value, e.detail, c.last_day AS stay_days
FROM element AS e JOIN course AS c ON c.patient_id = e.patient_id
ORDER BY c.product, e.patient_id, e.element, e.start_day, e.detail
