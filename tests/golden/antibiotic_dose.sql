WITH "rows__base" AS (
  -- Doses of empirical antibacterials
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."bound", r."route"
  FROM observation AS r
  WHERE r.concept IN ('amikacin', 'amoxicillin_clavulanate', 'aztreonam', 'cefepime', 'ceftazidime', 'ciprofloxacin', 'clindamycin', 'colistin', 'daptomycin', 'gentamicin', 'imipenem_cilastatin', 'levofloxacin', 'linezolid', 'meropenem', 'moxifloxacin', 'piperacillin_tazobactam', 'tigecycline', 'tobramycin', 'vancomycin')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END) AND ((route IS NULL) OR (route IN ('intravenous', 'oral', 'intramuscular', 'enteral')))
),
"rows__1" AS (
  SELECT *, concept AS "drug"
  FROM rows__where
),
"rows__evidence" AS (
  SELECT *, coalesce([key__], CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."drug",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
