WITH "rows__base" AS (
  -- Response assessments from the infusion on, ranked
  SELECT r.patient_id, r.event_id AS key__, r."time", r."text", index."time" AS index__time
  FROM observation AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
  WHERE r.concept IN ('response_assessment')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("time" >= index__time) AND (lower("text") IN ('cr', 'pr', 'sd', 'pd'))
),
"rows__1" AS (
  SELECT *,
    upper("text") AS "response",
    CASE  WHEN ((lower("text") = 'cr')) THEN (1) WHEN ((lower("text") = 'pr')) THEN (2) WHEN ((lower("text") = 'sd')) THEN (3) ELSE 4 END AS "rank"
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
  r."response",
  r."rank",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
