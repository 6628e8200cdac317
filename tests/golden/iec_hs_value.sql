WITH "rows__base" AS (
  -- Laboratory values of IEC-HS against their limits
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('alt', 'ast', 'bilirubin_direct', 'ferritin', 'fibrinogen', 'ldh', 'triglycerides')
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
    CASE  WHEN ((concept = 'fibrinogen')) THEN (min("value")) ELSE max("value") END AS "value",
    bool_or(CASE  WHEN ((concept = 'ferritin')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= (2 * 300.0))) ELSE ("value" > (2 * 300.0)) END) WHEN ((concept = 'alt')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= (5 * 40.0))) ELSE ("value" > (5 * 40.0)) END) WHEN ((concept = 'ast')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= (5 * 40.0))) ELSE ("value" > (5 * 40.0)) END) WHEN ((concept = 'ldh')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 250.0)) ELSE ("value" > 250.0) END) WHEN ((concept = 'bilirubin_direct')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0.3)) ELSE ("value" > 0.3) END) WHEN ((concept = 'triglycerides')) THEN (CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 265.0)) ELSE ("value" > 265.0) END) ELSE CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 150.0)) ELSE ("value" < 150.0) END END) AS "beyond",
    CAST(CASE WHEN (concept = 'fibrinogen') THEN 1 WHEN NOT ((concept = 'fibrinogen')) THEN 0 ELSE -1 END AS TINYINT) AS asked__0,
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
  r."beyond",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
