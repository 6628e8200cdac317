WITH "rows__base" AS (
  -- Response assessments, and whether there is a better one
  SELECT r.patient_id, r.number AS key__, r."time", r."response", r."rank", r.evidence AS evidence__
  FROM "tumour_response" AS r
),
"rows__1" AS (
  SELECT *, response AS "response__new"
  FROM rows__base
),
"seen__surpassed" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."rank" AS x__rank
  FROM "tumour_response" AS s
),
"found__surpassed" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM rows__1 AS b
  JOIN seen__surpassed AS s ON s.patient_id = b.patient_id AND ((s.x__rank < b.rank))
  GROUP BY b.patient_id, b.key__
),
"rows__surpassed" AS (
  SELECT b.*, coalesce(f.value__, FALSE) AS "surpassed", f.ids__ AS "surpassed__id"
  FROM rows__1 AS b
  LEFT JOIN found__surpassed AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, "surpassed__id"]))) AS ids__
  FROM rows__surpassed
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."response__new" AS "response",
  r."surpassed",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
