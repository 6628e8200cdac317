WITH "rows__base" AS (
  -- CAR-T cell infusion, day 0
  SELECT r.patient_id,
    r.number AS key__,
    r."time",
    r."product",
    r."another_sorts_first",
    r.evidence AS evidence__
  FROM "car_t_infusion" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (NOT another_sorts_first)
),
"rows__first" AS (
  SELECT *
  FROM rows__where
  QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY "time" NULLS FIRST, coalesce(evidence__, CAST([] AS UBIGINT[])), "key__") = 1
),
"rows__1" AS (
  SELECT *, product AS "product__new"
  FROM rows__first
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(r.time AS DATE) AS INTEGER) AS day,
  r."product__new" AS "product",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
