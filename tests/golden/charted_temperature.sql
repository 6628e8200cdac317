WITH "rows__base" AS (
  -- Charted temperatures, simultaneous readings folded
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('temperature')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("value" IS NOT NULL)
),
"rows__grouped" AS (
  SELECT "patient_id",
    "time",
    max("value") AS "value",
    bool_or((NOT CASE  WHEN ((bound IN ('<', '<='))) THEN ((round("value", 1) <= 38.3)) ELSE (round("value", 1) < 38.3) END)) AS "high",
    bool_or((NOT CASE  WHEN ((bound IN ('<', '<='))) THEN ((round("value", 1) <= 38.0)) ELSE (round("value", 1) < 38.0) END)) AS "raised",
    list_sort(list_distinct(list(key__))) AS evidence__
  FROM rows__where
  GROUP BY "patient_id", "time"
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__grouped
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST) AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."value",
  r."high",
  r."raised",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
