WITH "rows__base" AS (
  -- The period of early haematotoxicity
  SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__
  FROM "infusion" AS r
),
"rows__1" AS (
  SELECT *, (CAST("time" AS date) + to_hours(744)) AS "early_end"
  FROM rows__base
),
"seen__death_time" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."time" AS value__
  FROM observation AS s
  WHERE s.concept IN ('death') AND s."time" IS NOT NULL
),
"best__death_time" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__1 AS b
  JOIN seen__death_time AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__death_time" AS (
  SELECT b.*, s.value__ AS "death_time", s.id__ AS "death_time__id"
  FROM rows__1 AS b
  LEFT JOIN best__death_time AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__death_time AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.id__) = 1
),
"rows__2" AS (
  SELECT *, greatest("time", least(early_end, death_time)) AS "ends"
  FROM rows__death_time
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, ["death_time__id"]]))) AS ids__
  FROM rows__2
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."early_end",
  r."death_time",
  r."ends",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
