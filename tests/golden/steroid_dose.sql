WITH "rows__base" AS (
  -- Systemic corticosteroid administrations, as dexamethasone equivalents
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."bound", r."route"
  FROM observation AS r
  WHERE r.concept IN ('betamethasone', 'cortisone', 'deflazacort', 'dexamethasone', 'hydrocortisone', 'methylprednisolone', 'prednisolone', 'prednisone', 'triamcinolone')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END) AND ((route IS NULL) OR (route IN ('intravenous', 'oral', 'intramuscular', 'subcutaneous', 'enteral')))
),
"rows__1" AS (
  SELECT *,
    concept AS "drug",
    "value" AS "dose_mg",
    ("value" * CASE  WHEN ((concept = 'betamethasone')) THEN (1.25) WHEN ((concept = 'cortisone')) THEN (0.03) WHEN ((concept = 'deflazacort')) THEN (0.125) WHEN ((concept = 'dexamethasone')) THEN (1.0) WHEN ((concept = 'hydrocortisone')) THEN (0.0375) WHEN ((concept = 'methylprednisolone')) THEN (0.1875) WHEN ((concept = 'prednisolone')) THEN (0.15) WHEN ((concept = 'prednisone')) THEN (0.15) WHEN ((concept = 'triamcinolone')) THEN (0.1875) ELSE NULL END) AS "dexamethasone_mg"
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
  r."drug",
  r."dose_mg",
  r."dexamethasone_mg",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
