WITH "rows__base" AS (
  -- CAR-HEMATOTOX before lymphodepletion
  SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__
  FROM "infusion" AS r
),
"seen__lymphodepletion_time" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "lymphodepletion" AS s
  WHERE s."time" IS NOT NULL
),
"best__lymphodepletion_time" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__base AS b
  JOIN seen__lymphodepletion_time AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__lymphodepletion_time" AS (
  SELECT b.*, s.value__ AS "lymphodepletion_time", s.id__ AS "lymphodepletion_time__id"
  FROM rows__base AS b
  LEFT JOIN best__lymphodepletion_time AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__lymphodepletion_time AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"rows__1" AS (
  SELECT *, COALESCE(lymphodepletion_time, "time") AS "baseline_time"
  FROM rows__lymphodepletion_time
),
"seen__platelet_points" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."points" AS value__
  FROM "hematotox_value" AS s
  WHERE s."points" IS NOT NULL AND ((s.analyte = 'platelets')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__platelet_points" AS (
  -- platelet_points: last hematotox_value.points in [baseline_time - $before, baseline_time]
  SELECT *,
    CAST((baseline_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(baseline_time AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__platelet_points" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "platelet_points",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "platelet_points__id"
  FROM around__platelet_points AS b
  ASOF LEFT JOIN seen__platelet_points AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__neutrophil_points" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."points" AS value__
  FROM "hematotox_value" AS s
  WHERE s."points" IS NOT NULL AND ((s.analyte = 'neutrophils')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__neutrophil_points" AS (
  -- neutrophil_points: last hematotox_value.points in [baseline_time - $before, baseline_time]
  SELECT *,
    CAST((baseline_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(baseline_time AS TIMESTAMP) AS to__
  FROM rows__platelet_points
),
"rows__neutrophil_points" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "neutrophil_points",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "neutrophil_points__id"
  FROM around__neutrophil_points AS b
  ASOF LEFT JOIN seen__neutrophil_points AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__hemoglobin_points" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."points" AS value__
  FROM "hematotox_value" AS s
  WHERE s."points" IS NOT NULL AND ((s.analyte = 'hemoglobin')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__hemoglobin_points" AS (
  -- hemoglobin_points: last hematotox_value.points in [baseline_time - $before, baseline_time]
  SELECT *,
    CAST((baseline_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(baseline_time AS TIMESTAMP) AS to__
  FROM rows__neutrophil_points
),
"rows__hemoglobin_points" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "hemoglobin_points",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "hemoglobin_points__id"
  FROM around__hemoglobin_points AS b
  ASOF LEFT JOIN seen__hemoglobin_points AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__crp_points" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."points" AS value__
  FROM "hematotox_value" AS s
  WHERE s."points" IS NOT NULL AND ((s.analyte = 'crp')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__crp_points" AS (
  -- crp_points: last hematotox_value.points in [baseline_time - $before, baseline_time]
  SELECT *,
    CAST((baseline_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(baseline_time AS TIMESTAMP) AS to__
  FROM rows__hemoglobin_points
),
"rows__crp_points" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "crp_points",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "crp_points__id"
  FROM around__crp_points AS b
  ASOF LEFT JOIN seen__crp_points AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__ferritin_points" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."points" AS value__
  FROM "hematotox_value" AS s
  WHERE s."points" IS NOT NULL AND ((s.analyte = 'ferritin')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__ferritin_points" AS (
  -- ferritin_points: last hematotox_value.points in [baseline_time - $before, baseline_time]
  SELECT *,
    CAST((baseline_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(baseline_time AS TIMESTAMP) AS to__
  FROM rows__crp_points
),
"rows__ferritin_points" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "ferritin_points",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "ferritin_points__id"
  FROM around__ferritin_points AS b
  ASOF LEFT JOIN seen__ferritin_points AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"rows__2" AS (
  SELECT *,
    ((((COALESCE(platelet_points, 0) + COALESCE(neutrophil_points, 0)) + COALESCE(hemoglobin_points, 0)) + COALESCE(crp_points, 0)) + COALESCE(ferritin_points, 0)) AS "known_points",
    ((((platelet_points + neutrophil_points) + hemoglobin_points) + crp_points) + ferritin_points) AS "score",
    "nullif"(concat_ws(', ', CASE  WHEN ((crp_points IS NULL)) THEN ('crp') ELSE NULL END, CASE  WHEN ((ferritin_points IS NULL)) THEN ('ferritin') ELSE NULL END, CASE  WHEN ((hemoglobin_points IS NULL)) THEN ('hemoglobin') ELSE NULL END, CASE  WHEN ((neutrophil_points IS NULL)) THEN ('neutrophils') ELSE NULL END, CASE  WHEN ((platelet_points IS NULL)) THEN ('platelets') ELSE NULL END), '') AS "missing"
  FROM rows__ferritin_points
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN ((known_points >= 2)) THEN ('high') WHEN ((score IS NOT NULL)) THEN ('low') ELSE 'unknown' END AS "risk"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "lymphodepletion_time__id", "platelet_points__id", "neutrophil_points__id", "hemoglobin_points__id", "crp_points__id", "ferritin_points__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."lymphodepletion_time",
  r."baseline_time",
  r."platelet_points",
  r."neutrophil_points",
  r."hemoglobin_points",
  r."crp_points",
  r."ferritin_points",
  r."known_points",
  r."score",
  r."risk",
  r."missing",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
