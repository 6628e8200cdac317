WITH "rows__base" AS (
  -- ICANS episodes
  SELECT r.patient_id, r.number AS key__, r."time", r."grade", r.evidence AS evidence__
  FROM "icans_grade" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (grade >= 1)
),
"rows__opens" AS (
  -- an episode opens where the gap to the latest end so far is longer than $gap
  SELECT *,
    "time" AS start__,
    "time" AS end__,
    coalesce("time" > max("time") OVER (PARTITION BY patient_id ORDER BY "time", key__ ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + to_hours(48), TRUE) AS opens__
  FROM rows__where
  WHERE "time" IS NOT NULL
),
"rows__episode" AS (
  SELECT *,
    count(*) FILTER (WHERE opens__) OVER (PARTITION BY patient_id ORDER BY "time", key__ ROWS UNBOUNDED PRECEDING) AS episode__
  FROM rows__opens
),
"rows__grouped" AS (
  SELECT "patient_id",
    "episode__",
    min(start__) AS "start_time",
    max(end__) AS "end_time",
    max(grade) AS "peak_grade",
    arg_max("time", grade ORDER BY "time" ASC NULLS FIRST, key__ ASC NULLS FIRST) AS "peak_time",
    list_sort(list_distinct(flatten(list(evidence__)))) AS evidence__
  FROM rows__episode
  GROUP BY "patient_id", "episode__"
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__grouped
)
SELECT r.patient_id,
  CAST(r.episode__ AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS end_day,
  r."peak_grade",
  r."peak_time",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
