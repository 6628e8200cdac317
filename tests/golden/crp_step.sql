WITH "rows__base" AS (
  -- Pieces of the curve of C-reactive protein
  SELECT r.patient_id, r.number AS key__, r."time", r."analyte", r."value", r.evidence AS evidence__
  FROM "inflammation_value" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (analyte = 'crp')
),
"rows__1" AS (
  SELECT *, "value" AS "value__new"
  FROM rows__where
),
"seen__next_value" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "inflammation_value" AS s
  WHERE s."value" IS NOT NULL AND ((s.analyte = 'crp')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_value" AS (
  -- next_value: first inflammation_value.value in (time, inf)
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__next_value" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "next_value",
    CASE WHEN b.to__ > s.at__ THEN s.x__time END AS "next_value__time",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "next_value__id"
  FROM around__next_value AS b
  ASOF LEFT JOIN seen__next_value AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"rows__2" AS (
  SELECT *, next_value__time AS "next_time"
  FROM rows__next_value
),
"rows__3" AS (
  SELECT *, ((epoch_us(next_time) - epoch_us("time")) / 3600000000.0) AS "hours"
  FROM rows__2
),
"rows__4" AS (
  SELECT *, ((0.5 * ("value" + next_value)) * "hours") AS "area"
  FROM rows__3
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, "next_value__id"]))) AS ids__
  FROM rows__4
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."value__new" AS "value",
  r."next_value",
  r."next_time",
  r."hours",
  r."area",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
