WITH "rows__base" AS (
  -- Tocilizumab administrations, in milligrams
  SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."unit", r."bound"
  FROM observation AS r
  WHERE r.concept IN ('tocilizumab')
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)
),
"seen__body_weight_kg" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."value" AS value__
  FROM observation AS s
  WHERE s.concept IN ('body_weight') AND s."value" IS NOT NULL
),
"around__body_weight_kg" AS (
  -- body_weight_kg: last body_weight.value in (-inf, time]
  SELECT *, CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__where
),
"best__body_weight_kg" AS (
  SELECT b.patient_id, b.key__, max(s.at__) AS best__
  FROM around__body_weight_kg AS b
  JOIN seen__body_weight_kg AS s ON s.patient_id = b.patient_id AND s.at__ > b.from__ AND s.at__ <= b.to__ AND ((b.unit = 'mg/kg'))
  GROUP BY b.patient_id, b.key__
),
"rows__body_weight_kg" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "body_weight_kg", s.id__ AS "body_weight_kg__id"
  FROM around__body_weight_kg AS b
  LEFT JOIN best__body_weight_kg AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__body_weight_kg AS s ON s.patient_id = b.patient_id AND s.at__ > b.from__ AND s.at__ <= b.to__ AND ((b.unit = 'mg/kg')) AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ DESC NULLS LAST, s.id__) = 1
),
"rows__1" AS (
  SELECT *, CASE  WHEN ((unit = 'mg/kg')) THEN (("value" * body_weight_kg)) ELSE "value" END AS "dose_mg"
  FROM rows__body_weight_kg
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([[key__], ["body_weight_kg__id"]]))) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."body_weight_kg",
  r."dose_mg",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
