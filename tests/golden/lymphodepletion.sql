WITH "rows__base" AS (
  -- Start of lymphodepletion
  SELECT r.patient_id,
    r.event_id AS key__,
    r."time",
    r."concept",
    r."value",
    r."bound",
    index."time" AS index__time
  FROM observation AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
  WHERE r.concept IN ('cyclophosphamide', 'fludarabine')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END) AND ("time" >= (index__time - to_hours(336))) AND ("time" < index__time)
),
"rows__first" AS (
  SELECT *
  FROM rows__where
  QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY "time" NULLS FIRST, "key__") = 1
),
"rows__1" AS (
  SELECT *, concept AS "drug"
  FROM rows__first
),
"rows__evidence" AS (
  SELECT *, coalesce([key__], CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."drug",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
