/*
title: From everybody in the extract to the cohort
question: How many patients are left after each step, and why is nobody left where that happens?
reads: [cohort, event, meta.verdict]
returns:
  step: number of the step, in order
  condition: the step, in words
  patients: {meaning: patients left after the step, unit: "1"}
  lost: {meaning: patients whom this step excluded, unit: "1"}
  why: "why the step does not hold for those it excluded: nothing found, found outside the window (its nearest), not what is asked for, or unknown"
  note: "where nobody is left: what the study lacks"
section: cohort
order: 10
caption: >
  Each box is a step and how many patients are left after it; beside the arrow, whom the step excluded, and why. A patient
  who failed one step is not counted at later ones.
chart: {kind: flow, label: condition, count: patients, lost: lost, why: why, note: note}
published: [X-01, M-04, M-05]
*/
WITH flag AS (
    -- A step that is unknown is not passed, and a patient who failed a step is not counted at later ones.
    SELECT
        infusion IS TRUE AS has_infusion,
        infusion IS TRUE AND anakinra IS TRUE AS has_anakinra,
        infusion IS TRUE AND anakinra IS TRUE AND toxicity IS TRUE AS has_toxicity,
        included IS TRUE AS is_included
    FROM cohort
),
seen AS (
    SELECT
        count(*) FILTER (WHERE concept IN ('axicabtagene_ciloleucel', 'tisagenlecleucel')) AS infusions,
        count(*) FILTER (WHERE concept = 'anakinra') AS doses
    FROM event
),
reason AS (
    -- Only of those whom the step excluded, not of those an earlier one had.
    SELECT clause, string_agg(patients || ' ' || what, ', ' ORDER BY patients DESC, what) AS why
    FROM (
        SELECT v.clause, count(*) AS patients,
            CASE v.reason WHEN 'not_found' THEN 'nothing found' WHEN 'wrong_value' THEN 'not as asked'
                WHEN 'out_of_window' THEN 'outside the window, by ' || round(min(v.margin), 1) || ' h at least'
                ELSE 'unknown' END AS what
        FROM cohort AS c
        JOIN meta.verdict AS v
            ON v.rule = 'cohort' AND v.patient_id = c.patient_id AND v.number = c.number AND v.clause = c.excluded_at
        GROUP BY v.clause, v.reason
    )
    GROUP BY clause
),
step AS (
    SELECT 0 AS step, NULL AS clause, 'All patients of the extract' AS condition, count(*) AS patients, NULL AS note FROM flag
    UNION ALL
    SELECT 1, 'infusion', 'Infusion of axi-cel or tisa-cel', count(*) FILTER (WHERE has_infusion),
        CASE WHEN any_value(seen.infusions) = 0
            THEN 'no event of this extract is an infusion of axi-cel or tisa-cel' END
    FROM flag, seen
    UNION ALL
    SELECT 2, 'anakinra', 'Anakinra at or after the infusion', count(*) FILTER (WHERE has_anakinra),
        CASE WHEN any_value(seen.doses) = 0 THEN 'no event of this extract is a dose of anakinra' END
    FROM flag, seen
    UNION ALL
    SELECT 3, 'toxicity', 'An ICANS or CRS episode', count(*) FILTER (WHERE has_toxicity), NULL FROM flag
    UNION ALL
    SELECT 4, 'refractory', 'Steroid-refractory before anakinra', count(*) FILTER (WHERE is_included), NULL
    FROM flag
    -- Only a strict cohort has this step.
    HAVING count(*) FILTER (WHERE has_toxicity AND NOT is_included) > 0
)
SELECT
    step,
    condition,
    patients,
    lag(patients) OVER (ORDER BY step) - patients AS lost,
    reason.why,
    CASE WHEN patients > 0 THEN NULL
        WHEN note IS NOT NULL THEN note
        WHEN lag(patients) OVER (ORDER BY step) > 0 THEN 'no patient satisfies this step'
    END AS note
FROM step
LEFT JOIN reason ON reason.clause = step.clause
ORDER BY step
