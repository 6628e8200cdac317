WITH "rows__base" AS (
  -- Platelet counts by the levels of T-ICAHT
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('platelets')
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
    bool_or(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 100.0)) ELSE ("value" < 100.0) END) AS "below_100",
    bool_or(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 50.0)) ELSE ("value" < 50.0) END) AS "below_50",
    bool_or(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 20.0)) ELSE ("value" < 20.0) END) AS "below_20",
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
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."value",
  r."below_100",
  r."below_50",
  r."below_20",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
