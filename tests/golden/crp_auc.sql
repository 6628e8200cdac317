WITH "rows__base" AS (
  -- Area under the curve of C-reactive protein before and after anakinra
  SELECT r.patient_id, r.number AS key__, r."number", r."start_time", r."end_time", r.evidence AS evidence__
  FROM "anakinra_window" AS r
),
"rows__1" AS (
  SELECT *,
    number AS "window_number",
    (start_time - to_hours(72)) AS "before_start",
    (start_time + to_hours(72)) AS "after_end"
  FROM rows__base
),
"seen__values_before" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "inflammation_value" AS s
  WHERE ((s.analyte = 'crp'))
),
"around__values_before" AS (
  -- values_before: count inflammation_value in [before_start, start_time]
  SELECT *, CAST(before_start AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__1
),
"found__values_before" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__values_before AS b
  JOIN seen__values_before AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__values_before" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "values_before",
    f.ids__ AS "values_before__id"
  FROM around__values_before AS b
  LEFT JOIN found__values_before AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__values_after" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "inflammation_value" AS s
  WHERE ((s.analyte = 'crp'))
),
"around__values_after" AS (
  -- values_after: count inflammation_value in [start_time, after_end]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST(after_end AS TIMESTAMP) AS to__
  FROM rows__values_before
),
"found__values_after" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__values_after AS b
  JOIN seen__values_after AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__values_after" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "values_after",
    f.ids__ AS "values_after__id"
  FROM around__values_after AS b
  LEFT JOIN found__values_after AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__auc_before" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."area" AS value__,
    s."next_time" AS x__next_time
  FROM "crp_step" AS s
  WHERE s."area" IS NOT NULL
),
"around__auc_before" AS (
  -- auc_before: sum crp_step.area in [before_start, start_time]
  SELECT *, CAST(before_start AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__values_after
),
"found__auc_before" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM around__auc_before AS b
  JOIN seen__auc_before AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__next_time <= b.start_time))
  GROUP BY b.patient_id, b.key__
),
"rows__auc_before" AS (
  SELECT b.* EXCLUDE (from__, to__), f.value__ AS "auc_before", f.ids__ AS "auc_before__id"
  FROM around__auc_before AS b
  LEFT JOIN found__auc_before AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__auc_after" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."area" AS value__,
    s."next_time" AS x__next_time
  FROM "crp_step" AS s
  WHERE s."area" IS NOT NULL
),
"around__auc_after" AS (
  -- auc_after: sum crp_step.area in [start_time, after_end]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST(after_end AS TIMESTAMP) AS to__
  FROM rows__auc_before
),
"found__auc_after" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM around__auc_after AS b
  JOIN seen__auc_after AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__next_time <= b.after_end))
  GROUP BY b.patient_id, b.key__
),
"rows__auc_after" AS (
  SELECT b.* EXCLUDE (from__, to__), f.value__ AS "auc_after", f.ids__ AS "auc_after__id"
  FROM around__auc_after AS b
  LEFT JOIN found__auc_after AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__hours_before" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."hours" AS value__,
    s."next_time" AS x__next_time
  FROM "crp_step" AS s
  WHERE s."hours" IS NOT NULL
),
"around__hours_before" AS (
  -- hours_before: sum crp_step.hours in [before_start, start_time]
  SELECT *, CAST(before_start AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__auc_after
),
"found__hours_before" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM around__hours_before AS b
  JOIN seen__hours_before AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__next_time <= b.start_time))
  GROUP BY b.patient_id, b.key__
),
"rows__hours_before" AS (
  SELECT b.* EXCLUDE (from__, to__), f.value__ AS "hours_before", f.ids__ AS "hours_before__id"
  FROM around__hours_before AS b
  LEFT JOIN found__hours_before AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__hours_after" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."hours" AS value__,
    s."next_time" AS x__next_time
  FROM "crp_step" AS s
  WHERE s."hours" IS NOT NULL
),
"around__hours_after" AS (
  -- hours_after: sum crp_step.hours in [start_time, after_end]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST(after_end AS TIMESTAMP) AS to__
  FROM rows__hours_before
),
"found__hours_after" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM around__hours_after AS b
  JOIN seen__hours_after AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__next_time <= b.after_end))
  GROUP BY b.patient_id, b.key__
),
"rows__hours_after" AS (
  SELECT b.* EXCLUDE (from__, to__), f.value__ AS "hours_after", f.ids__ AS "hours_after__id"
  FROM around__hours_after AS b
  LEFT JOIN found__hours_after AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__2" AS (
  SELECT *,
    (auc_before / "nullif"(hours_before, 0)) AS "mean_before",
    (auc_after / "nullif"(hours_after, 0)) AS "mean_after"
  FROM rows__hours_after
),
"rows__3" AS (
  SELECT *, (mean_after / "nullif"(mean_before, 0)) AS "ratio"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "values_before__id", "values_after__id", "auc_before__id", "auc_after__id", "hours_before__id", "hours_after__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS end_day,
  r."window_number",
  r."before_start",
  r."after_end",
  r."values_before",
  r."values_after",
  r."auc_before",
  r."auc_after",
  r."hours_before",
  r."hours_after",
  r."mean_before",
  r."mean_after",
  r."ratio",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
