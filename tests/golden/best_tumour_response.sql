WITH "rows__base" AS (
  -- The best response assessment of each patient
  SELECT r.patient_id, r.number AS key__, r."time", r."response", r."surpassed", r.evidence AS evidence__
  FROM "ranked_tumour_response" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (NOT surpassed)
),
"rows__first" AS (
  SELECT *
  FROM rows__where
  QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY "time" NULLS FIRST, coalesce(evidence__, CAST([] AS UBIGINT[])), "key__") = 1
),
"rows__1" AS (
  SELECT *, response AS "response__new"
  FROM rows__first
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."response__new" AS "response",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
