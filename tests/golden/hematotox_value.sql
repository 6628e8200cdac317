WITH "rows__base" AS (
  -- Values of CAR-HEMATOTOX with their points
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('crp', 'ferritin', 'hemoglobin', 'neutrophils', 'platelets')
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
    CASE  WHEN ((concept IN ('crp', 'ferritin'))) THEN (max("value")) ELSE min("value") END AS "value",
    max(CASE  WHEN ((concept = 'platelets')) THEN (CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 75.0)) ELSE ("value" < 75.0) END) THEN (2) WHEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 175.0)) ELSE ("value" > 175.0) END) THEN (0) ELSE 1 END) WHEN ((concept = 'neutrophils')) THEN (CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 1.2)) ELSE ("value" < 1.2) END) THEN (1) ELSE 0 END) WHEN ((concept = 'hemoglobin')) THEN (CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 9.0)) ELSE ("value" < 9.0) END) THEN (1) ELSE 0 END) WHEN ((concept = 'crp')) THEN (CASE  WHEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 30.0)) ELSE ("value" > 30.0) END) THEN (1) ELSE 0 END) ELSE CASE  WHEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 2000.0)) ELSE ("value" > 2000.0) END) THEN (2) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 650.0)) ELSE ("value" < 650.0) END) THEN (0) ELSE 1 END END) AS "points",
    CAST(CASE WHEN (concept IN ('crp', 'ferritin')) THEN 1 WHEN NOT ((concept IN ('crp', 'ferritin'))) THEN 0 ELSE -1 END AS TINYINT) AS asked__0,
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
  r."points",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
