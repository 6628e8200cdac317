WITH "rows__base" AS (
  -- CTCAE grade of each neutrophil and platelet count
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('neutrophils', 'platelets')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE ("value" IS NOT NULL)
),
"rows__1" AS (
  SELECT *,
    concept AS "analyte",
    "value" AS "value__new",
    CASE  WHEN ((concept = 'neutrophils')) THEN (CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 0.5)) ELSE ("value" < 0.5) END) THEN (4) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 1.0)) ELSE ("value" < 1.0) END) THEN (3) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 1.5)) ELSE ("value" < 1.5) END) THEN (2) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 1.8)) ELSE ("value" < 1.8) END) THEN (1) ELSE 0 END) ELSE CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 25.0)) ELSE ("value" < 25.0) END) THEN (4) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 50.0)) ELSE ("value" < 50.0) END) THEN (3) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 75.0)) ELSE ("value" < 75.0) END) THEN (2) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 150.0)) ELSE ("value" < 150.0) END) THEN (1) ELSE 0 END END AS "grade"
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
  r."analyte",
  r."value__new" AS "value",
  r."grade",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
