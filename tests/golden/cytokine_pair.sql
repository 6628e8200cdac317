WITH "rows__base" AS (
  -- Serum cytokines at baseline, before and after anakinra
  SELECT r.patient_id,
    r.number AS key__,
    r."number",
    r."start_time",
    r."end_time",
    r.evidence AS evidence__,
    index."time" AS index__time
  FROM "anakinra_window" AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
),
"rows__1" AS (
  SELECT *, number AS "window_number"
  FROM rows__base
),
"rows__analytes_0" AS (
  SELECT b.*, a.analyte__, CAST(a.unit__ AS VARCHAR) AS unit__
  FROM rows__1 AS b
  CROSS JOIN (VALUES ('ccl2', 'pg/mL'), ('ccl3', 'pg/mL'), ('ccl4', 'pg/mL'), ('cxcl10', 'pg/mL'), ('gm_csf', 'pg/mL'), ('il10', 'pg/mL'), ('il15', 'pg/mL'), ('il18', 'pg/mL'), ('il1a', 'pg/mL'), ('il1b', 'pg/mL'), ('il1ra', 'pg/mL'), ('il2', 'pg/mL'), ('il2ra', 'pg/mL'), ('il6', 'pg/mL'), ('il6ra', 'pg/mL'), ('il7', 'pg/mL'), ('tnf', 'pg/mL')) AS a(analyte__, unit__)
),
"seen__baseline_0" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "cytokine" AS s
  WHERE s."value" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__, analyte__ ORDER BY number__) = 1
),
"around__baseline_0" AS (
  -- baseline_0: last cytokine.value in [index.time - $baseline, index.time)
  SELECT *, CAST((index__time - to_hours(24)) AS TIMESTAMP) AS from__, CAST(index__time AS TIMESTAMP) AS to__
  FROM rows__analytes_0
),
"rows__baseline_0" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "baseline_0",
    CASE WHEN b.from__ <= s.at__ THEN s.x__time END AS "baseline_0__time",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "baseline_0__id"
  FROM around__baseline_0 AS b
  ASOF LEFT JOIN seen__baseline_0 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND b.to__ > s.at__
),
"seen__before_0" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "cytokine" AS s
  WHERE s."value" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__, analyte__ ORDER BY number__) = 1
),
"around__before_0" AS (
  -- before_0: last cytokine.value in [start_time - $before, start_time)
  SELECT *, CAST((start_time - to_hours(48)) AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__baseline_0
),
"rows__before_0" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "before_0",
    CASE WHEN b.from__ <= s.at__ THEN s.x__time END AS "before_0__time",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "before_0__id"
  FROM around__before_0 AS b
  ASOF LEFT JOIN seen__before_0 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND b.to__ > s.at__
),
"seen__after_0" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s.analyte AS analyte__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "cytokine" AS s
  WHERE s."value" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__, analyte__ ORDER BY number__) = 1
),
"around__after_0" AS (
  -- after_0: first cytokine.value in [end_time + $after_from, end_time + $after_to]
  SELECT *,
    CAST((end_time + to_hours(48)) AS TIMESTAMP) AS from__,
    CAST((end_time + to_hours(192)) AS TIMESTAMP) AS to__
  FROM rows__before_0
),
"rows__after_0" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "after_0",
    CASE WHEN b.to__ >= s.at__ THEN s.x__time END AS "after_0__time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "after_0__id"
  FROM around__after_0 AS b
  ASOF LEFT JOIN seen__after_0 AS s ON s.patient_id = b.patient_id AND s.analyte__ = b.analyte__ AND b.from__ <= s.at__
),
"pairs__0" AS (
  SELECT b."patient_id",
    b."key__",
    b."number",
    b."start_time",
    b."end_time",
    b."evidence__",
    b."index__time",
    b."window_number",
    b.analyte__,
    b.unit__,
    b.baseline_0 AS baseline_value__,
    b.baseline_0__time AS baseline_time__,
    b.baseline_0 IS NULL AS baseline_missing__,
    "baseline_0__id" AS baseline_ids__,
    b.before_0 AS before_value__,
    b.before_0__time AS before_time__,
    b.before_0 IS NULL AS before_missing__,
    "before_0__id" AS before_ids__,
    b.after_0 AS after_value__,
    b.after_0__time AS after_time__,
    b.after_0 IS NULL AS after_missing__,
    "after_0__id" AS after_ids__
  FROM rows__after_0 AS b
),
"rows__pairs" AS (
  SELECT *
  FROM pairs__0
),
"rows__computed" AS (
  -- a zero below a fraction line gives NULL
  SELECT *,
    after_value__ - before_value__ AS "change",
    (after_value__ - before_value__) / nullif(before_value__, 0) * 100 AS "percent_change",
    after_value__ / nullif(before_value__, 0) AS "ratio",
    before_value__ / nullif(baseline_value__, 0) AS "fold_before",
    after_value__ / nullif(baseline_value__, 0) AS "fold_after",
    NOT (baseline_missing__ OR before_missing__ OR after_missing__) AS "complete",
    nullif(concat_ws(', ', CASE WHEN baseline_missing__ THEN 'baseline' END, CASE WHEN before_missing__ THEN 'before' END, CASE WHEN after_missing__ THEN 'after' END), '') AS "missing"
  FROM rows__pairs
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, baseline_ids__, before_ids__, after_ids__]))) AS ids__
  FROM rows__computed
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r."key__", r."analyte__") AS INTEGER) AS number,
  r."window_number",
  r."analyte__" AS "analyte",
  r."unit__" AS "unit",
  r."baseline_value__" AS "baseline_value",
  r."baseline_time__" AS "baseline_time",
  r."before_value__" AS "before_value",
  r."before_time__" AS "before_time",
  r."after_value__" AS "after_value",
  r."after_time__" AS "after_time",
  r."change",
  r."percent_change",
  r."ratio",
  r."fold_before",
  r."fold_after",
  r."complete",
  r."missing",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
