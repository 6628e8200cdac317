WITH "rows__base" AS (
  -- Neutrophil counts, simultaneous values folded
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('neutrophils')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("value" IS NOT NULL)
),
"rows__grouped" AS (
  SELECT "patient_id",
    "time",
    min("value") AS "value",
    bool_or(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 0.5)) ELSE ("value" < 0.5) END) AS "low",
    bool_or(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 1.0)) ELSE ("value" < 1.0) END) AS "near_low",
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
  r."low",
  r."near_low",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
