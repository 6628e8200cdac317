WITH "rows__base" AS (
  -- Body temperatures, fever or not
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('temperature')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("value" IS NOT NULL)
),
"rows__1" AS (
  SELECT *,
    "value" AS "value__new",
    (NOT CASE  WHEN ((bound IN ('<', '<='))) THEN ((round("value", 1) <= 38.0)) ELSE (round("value", 1) < 38.0) END) AS "fever"
  FROM rows__where
),
"rows__evidence" AS (
  SELECT *, coalesce([key__], CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."value__new" AS "value",
  r."fever",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
