WITH "rows__base" AS (
  -- Laboratory values and temperature before and after anakinra
  SELECT r.patient_id, r.number AS key__, r."number", r."start_time", r."end_time", r.evidence AS evidence__
  FROM "anakinra_window" AS r
),
"rows__1" AS (
  SELECT *, number AS "window_number"
  FROM rows__base
),
"rows__analytes_0" AS (
  SELECT b.*, a.analyte__, CAST(a.unit__ AS VARCHAR) AS unit__
  FROM rows__1 AS b
  CROSS JOIN (VALUES ('temperature', 'Cel')) AS a(analyte__, unit__)
),
"seen__before_0" AS (
  SELECT s.patient_id,
    s.event_id AS id__,
    s."time" AS at__,
    s.concept AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM observation AS s
  WHERE s.concept IN ('temperature') AND s."value" IS NOT NULL
),
"around__before_0" AS (
  -- before_0: max temperature.value in [start_time - $temperature_before, start_time]
  SELECT *, CAST((start_time - to_hours(24)) AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__analytes_0
),
"found__before_0" AS (
  SELECT b.patient_id, b.key__, b.analyte__, s.id__ AS row__
  FROM around__before_0 AS b
  JOIN seen__before_0 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__, b.analyte__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.id__) = 1
),
"rows__before_0" AS (
  SELECT b.* EXCLUDE (from__, to__),
    s.value__ AS "before_0",
    s.x__time AS "before_0__time",
    s.id__ AS "before_0__id"
  FROM around__before_0 AS b
  LEFT JOIN found__before_0 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__ AND f.analyte__ = b.analyte__
  LEFT JOIN seen__before_0 AS s ON s.patient_id = b.patient_id AND s.id__ = f.row__
),
"seen__after_0" AS (
  SELECT s.patient_id,
    s.event_id AS id__,
    s."time" AS at__,
    s.concept AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM observation AS s
  WHERE s.concept IN ('temperature') AND s."value" IS NOT NULL
),
"around__after_0" AS (
  -- after_0: max temperature.value in (end_time, end_time + $temperature_after]
  SELECT *, CAST(end_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__before_0
),
"found__after_0" AS (
  SELECT b.patient_id, b.key__, b.analyte__, s.id__ AS row__
  FROM around__after_0 AS b
  JOIN seen__after_0 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND s.at__ > b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__, b.analyte__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.id__) = 1
),
"rows__after_0" AS (
  SELECT b.* EXCLUDE (from__, to__),
    s.value__ AS "after_0",
    s.x__time AS "after_0__time",
    s.id__ AS "after_0__id"
  FROM around__after_0 AS b
  LEFT JOIN found__after_0 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__ AND f.analyte__ = b.analyte__
  LEFT JOIN seen__after_0 AS s ON s.patient_id = b.patient_id AND s.id__ = f.row__
),
"pairs__0" AS (
  SELECT b."patient_id",
    b."key__",
    b."number",
    b."start_time",
    b."end_time",
    b."evidence__",
    b."window_number",
    b.analyte__,
    b.unit__,
    b.before_0 AS before_value__,
    b.before_0__time AS before_time__,
    b.before_0 IS NULL AS before_missing__,
    ["before_0__id"] AS before_ids__,
    b.after_0 AS after_value__,
    b.after_0__time AS after_time__,
    b.after_0 IS NULL AS after_missing__,
    ["after_0__id"] AS after_ids__
  FROM rows__after_0 AS b
),
"rows__analytes_1" AS (
  SELECT b.*, a.analyte__, CAST(a.unit__ AS VARCHAR) AS unit__
  FROM rows__1 AS b
  CROSS JOIN (VALUES ('crp', 'mg/L'), ('ferritin', 'ug/L')) AS a(analyte__, unit__)
),
"seen__before_1" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "inflammation_value" AS s
  WHERE s."value" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__, analyte__ ORDER BY number__) = 1
),
"around__before_1" AS (
  -- before_1: last inflammation_value.value in [start_time - $marker_before, start_time]
  SELECT *, CAST((start_time - to_hours(48)) AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__analytes_1
),
"rows__before_1" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "before_1",
    CASE WHEN b.from__ <= s.at__ THEN s.x__time END AS "before_1__time",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "before_1__id"
  FROM around__before_1 AS b
  ASOF LEFT JOIN seen__before_1 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND b.to__ >= s.at__
),
"seen__after_1" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "inflammation_value" AS s
  WHERE s."value" IS NOT NULL
),
"around__after_1" AS (
  -- after_1: nearest inflammation_value.value in (end_time, end_time + $marker_after]
  SELECT *,
    CAST(end_time AS TIMESTAMP) AS from__,
    CAST((end_time + to_hours(48)) AS TIMESTAMP) AS to__,
    CAST((end_time + to_hours(24)) AS TIMESTAMP) AS near__
  FROM rows__before_1
),
"found__after_1" AS (
  SELECT b.patient_id, b.key__, b.analyte__, s.number__ AS row__
  FROM around__after_1 AS b
  JOIN seen__after_1 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND s.at__ > b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__, b.analyte__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__after_1" AS (
  SELECT b.* EXCLUDE (from__, to__, near__),
    s.value__ AS "after_1",
    s.x__time AS "after_1__time",
    s.id__ AS "after_1__id"
  FROM around__after_1 AS b
  LEFT JOIN found__after_1 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__ AND f.analyte__ = b.analyte__
  LEFT JOIN seen__after_1 AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"pairs__1" AS (
  SELECT b."patient_id",
    b."key__",
    b."number",
    b."start_time",
    b."end_time",
    b."evidence__",
    b."window_number",
    b.analyte__,
    b.unit__,
    b.before_1 AS before_value__,
    b.before_1__time AS before_time__,
    b.before_1 IS NULL AS before_missing__,
    "before_1__id" AS before_ids__,
    b.after_1 AS after_value__,
    b.after_1__time AS after_time__,
    b.after_1 IS NULL AS after_missing__,
    "after_1__id" AS after_ids__
  FROM rows__after_1 AS b
),
"rows__analytes_2" AS (
  SELECT b.*, a.analyte__, CAST(a.unit__ AS VARCHAR) AS unit__
  FROM rows__1 AS b
  CROSS JOIN (VALUES ('neutrophils', '10*9/L'), ('platelets', '10*9/L')) AS a(analyte__, unit__)
),
"seen__before_2" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "blood_count" AS s
  WHERE s."value" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__, analyte__ ORDER BY number__) = 1
),
"around__before_2" AS (
  -- before_2: last blood_count.value in [start_time - $count_before, start_time]
  SELECT *, CAST((start_time - to_hours(48)) AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__analytes_2
),
"rows__before_2" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "before_2",
    CASE WHEN b.from__ <= s.at__ THEN s.x__time END AS "before_2__time",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "before_2__id"
  FROM around__before_2 AS b
  ASOF LEFT JOIN seen__before_2 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND b.to__ >= s.at__
),
"seen__after_2" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "blood_count" AS s
  WHERE s."value" IS NOT NULL
),
"around__after_2" AS (
  -- after_2: nearest blood_count.value in [end_time + $count_from, end_time + $count_to]
  SELECT *,
    CAST((end_time + to_hours(528)) AS TIMESTAMP) AS from__,
    CAST((end_time + to_hours(768)) AS TIMESTAMP) AS to__,
    CAST((end_time + to_hours(672)) AS TIMESTAMP) AS near__
  FROM rows__before_2
),
"found__after_2" AS (
  SELECT b.patient_id, b.key__, b.analyte__, s.number__ AS row__
  FROM around__after_2 AS b
  JOIN seen__after_2 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__, b.analyte__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__after_2" AS (
  SELECT b.* EXCLUDE (from__, to__, near__),
    s.value__ AS "after_2",
    s.x__time AS "after_2__time",
    s.id__ AS "after_2__id"
  FROM around__after_2 AS b
  LEFT JOIN found__after_2 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__ AND f.analyte__ = b.analyte__
  LEFT JOIN seen__after_2 AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"pairs__2" AS (
  SELECT b."patient_id",
    b."key__",
    b."number",
    b."start_time",
    b."end_time",
    b."evidence__",
    b."window_number",
    b.analyte__,
    b.unit__,
    b.before_2 AS before_value__,
    b.before_2__time AS before_time__,
    b.before_2 IS NULL AS before_missing__,
    "before_2__id" AS before_ids__,
    b.after_2 AS after_value__,
    b.after_2__time AS after_time__,
    b.after_2 IS NULL AS after_missing__,
    "after_2__id" AS after_ids__
  FROM rows__after_2 AS b
),
"rows__pairs" AS (
  SELECT *
  FROM pairs__0
  UNION ALL BY NAME SELECT *
  FROM pairs__1
  UNION ALL BY NAME SELECT *
  FROM pairs__2
),
"rows__computed" AS (
  -- a zero below a fraction line gives NULL
  SELECT *,
    after_value__ - before_value__ AS "change",
    (after_value__ - before_value__) / nullif(before_value__, 0) * 100 AS "percent_change",
    after_value__ / nullif(before_value__, 0) AS "ratio",
    NOT (before_missing__ OR after_missing__) AS "complete",
    nullif(concat_ws(', ', CASE WHEN before_missing__ THEN 'before' END, CASE WHEN after_missing__ THEN 'after' END), '') AS "missing"
  FROM rows__pairs
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, before_ids__, after_ids__]))) AS ids__
  FROM rows__computed
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r."key__", r."analyte__") AS INTEGER) AS number,
  r."window_number",
  r."analyte__" AS "analyte",
  r."unit__" AS "unit",
  r."before_value__" AS "before_value",
  r."before_time__" AS "before_time",
  r."after_value__" AS "after_value",
  r."after_time__" AS "after_time",
  r."change",
  r."percent_change",
  r."ratio",
  r."complete",
  r."missing",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
