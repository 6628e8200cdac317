WITH "rows__base" AS (
  -- Siltuximab administrations
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('siltuximab')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)
),
"rows__1" AS (
  SELECT *, "value" AS "dose"
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
  r."dose",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
