WITH "rows__base" AS (
  -- LDH and creatinine, simultaneous values folded
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value"
  FROM observation AS r
  WHERE r.concept IN ('creatinine', 'ldh')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("value" IS NOT NULL)
),
"rows__grouped" AS (
  SELECT "patient_id",
    "time",
    "concept",
    max("value") AS "value",
    list_sort(list_distinct(list(key__))) AS evidence__
  FROM rows__where
  GROUP BY "patient_id", "time", "concept"
),
"rows__1" AS (
  SELECT *, concept AS "analyte"
  FROM rows__grouped
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."concept") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."analyte",
  r."value",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
