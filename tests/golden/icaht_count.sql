WITH "rows__base" AS (
  -- Neutrophil counts by the levels of ICAHT
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
    bool_or((NOT CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 1.5)) ELSE ("value" > 1.5) END)) AS "mild",
    bool_or((NOT CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 1.0)) ELSE ("value" > 1.0) END)) AS "moderate",
    bool_or((NOT CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0.5)) ELSE ("value" > 0.5) END)) AS "low",
    bool_or((NOT CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0.1)) ELSE ("value" > 0.1) END)) AS "very_low",
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
  r."mild",
  r."moderate",
  r."low",
  r."very_low",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
