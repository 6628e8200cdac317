WITH "rows__base" AS (
  -- Serum cytokines, replicate wells averaged
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept", r."value", r."unit", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('ccl2', 'ccl3', 'ccl4', 'cxcl10', 'gm_csf', 'il10', 'il15', 'il18', 'il1a', 'il1b', 'il1ra', 'il2', 'il2ra', 'il6', 'il6ra', 'il7', 'tnf')
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
    avg(CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" * 0.5)) ELSE "value" END ORDER BY "time" ASC NULLS FIRST, key__ ASC NULLS FIRST) AS "value",
    min(unit) AS "unit",
    count_star() AS "replicates",
    bool_or((bound IS NOT NULL)) AS "bounded",
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
  r."unit",
  r."replicates",
  r."bounded",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
