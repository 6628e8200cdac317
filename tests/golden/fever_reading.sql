WITH "rows__base" AS (
  -- Fevers
  SELECT r.patient_id, r.number AS key__, r."time", r."value", r."high", r."sustained", r.evidence AS evidence__
  FROM "temperature_course" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (high OR sustained)
),
"rows__1" AS (
  SELECT *, "value" AS "value__new", CASE  WHEN (high) THEN ('once') ELSE 'sustained' END AS "kind"
  FROM rows__where
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."value__new" AS "value",
  r."kind",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
