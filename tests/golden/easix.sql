WITH "rows__base" AS (
  -- EASIX, s-EASIX and m-EASIX at each LDH value
  SELECT r.patient_id, r.number AS key__, r."time", r."analyte", r."value", r.evidence AS evidence__
  FROM "easix_value" AS r
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (analyte = 'ldh')
),
"rows__1" AS (
  SELECT *, "value" AS "ldh"
  FROM rows__where
),
"seen__creatinine" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."value" AS value__
  FROM "easix_value" AS s
  WHERE s."value" IS NOT NULL AND ((s.analyte = 'creatinine'))
),
"around__creatinine" AS (
  -- creatinine: nearest easix_value.value in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__,
    CAST("time" AS TIMESTAMP) AS near__
  FROM rows__1
),
"found__creatinine" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__creatinine AS b
  JOIN seen__creatinine AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__creatinine" AS (
  SELECT b.* EXCLUDE (from__, to__, near__), s.value__ AS "creatinine", s.id__ AS "creatinine__id"
  FROM around__creatinine AS b
  LEFT JOIN found__creatinine AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__creatinine AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__crp" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."value" AS value__
  FROM "inflammation_value" AS s
  WHERE s."value" IS NOT NULL AND ((s.analyte = 'crp'))
),
"around__crp" AS (
  -- crp: nearest inflammation_value.value in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__,
    CAST("time" AS TIMESTAMP) AS near__
  FROM rows__creatinine
),
"found__crp" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__crp AS b
  JOIN seen__crp AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__crp" AS (
  SELECT b.* EXCLUDE (from__, to__, near__), s.value__ AS "crp", s.id__ AS "crp__id"
  FROM around__crp AS b
  LEFT JOIN found__crp AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__crp AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__platelets" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."value" AS value__
  FROM "blood_count" AS s
  WHERE s."value" IS NOT NULL AND ((s.analyte = 'platelets'))
),
"around__platelets" AS (
  -- platelets: nearest blood_count.value in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__,
    CAST("time" AS TIMESTAMP) AS near__
  FROM rows__crp
),
"found__platelets" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__platelets AS b
  JOIN seen__platelets AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__platelets" AS (
  SELECT b.* EXCLUDE (from__, to__, near__), s.value__ AS "platelets", s.id__ AS "platelets__id"
  FROM around__platelets AS b
  LEFT JOIN found__platelets AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__platelets AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"rows__2" AS (
  SELECT *,
    ((ldh * creatinine) / "nullif"(platelets, 0)) AS "easix",
    (ldh / "nullif"(platelets, 0)) AS "s_easix",
    ((ldh * (crp / "nullif"(10, 0))) / "nullif"(platelets, 0)) AS "m_easix"
  FROM rows__platelets
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN ((easix > 0)) THEN (log2(easix)) ELSE NULL END AS "log2_easix",
    CASE  WHEN ((s_easix > 0)) THEN (log2(s_easix)) ELSE NULL END AS "log2_s_easix",
    CASE  WHEN ((m_easix > 0)) THEN (log2(m_easix)) ELSE NULL END AS "log2_m_easix"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "creatinine__id", "crp__id", "platelets__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."ldh",
  r."creatinine",
  r."crp",
  r."platelets",
  r."easix",
  r."s_easix",
  r."m_easix",
  r."log2_easix",
  r."log2_s_easix",
  r."log2_m_easix",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
