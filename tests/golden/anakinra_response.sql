WITH "rows__base" AS (
  -- Response of neurotoxicity and CRS to anakinra
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
"seen__peak_icans" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"best__peak_icans" AS (
  SELECT b.patient_id, b.key__, max(s.value__) AS best__
  FROM rows__1 AS b
  JOIN seen__peak_icans AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__peak_icans" AS (
  SELECT b.*, s.value__ AS "peak_icans", s.id__ AS "peak_icans__id"
  FROM rows__1 AS b
  LEFT JOIN best__peak_icans AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__peak_icans AS s ON s.patient_id = b.patient_id AND s.value__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"seen__peak_crs" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"best__peak_crs" AS (
  SELECT b.patient_id, b.key__, max(s.value__) AS best__
  FROM rows__peak_icans AS b
  JOIN seen__peak_crs AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__peak_crs" AS (
  SELECT b.*, s.value__ AS "peak_crs", s.id__ AS "peak_crs__id"
  FROM rows__peak_icans AS b
  LEFT JOIN best__peak_crs AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__peak_crs AS s ON s.patient_id = b.patient_id AND s.value__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"seen__icans_before" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__icans_before" AS (
  -- icans_before: max icans_grade.grade in [index.time, start_time]
  SELECT *, CAST(index__time AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__peak_crs
),
"found__icans_before" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__icans_before AS b
  JOIN seen__icans_before AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__icans_before" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "icans_before", s.id__ AS "icans_before__id"
  FROM around__icans_before AS b
  LEFT JOIN found__icans_before AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__icans_before AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__icans_after" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__icans_after" AS (
  -- icans_after: min icans_grade.grade in (start_time, end_time + $after]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__icans_before
),
"found__icans_after" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__icans_after AS b
  JOIN seen__icans_after AS s ON s.patient_id = b.patient_id AND s.at__ > b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__icans_after" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "icans_after", s.id__ AS "icans_after__id"
  FROM around__icans_after AS b
  LEFT JOIN found__icans_after AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__icans_after AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__crs_before" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__crs_before" AS (
  -- crs_before: max crs_grade.grade in [index.time, start_time]
  SELECT *, CAST(index__time AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__icans_after
),
"found__crs_before" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__crs_before AS b
  JOIN seen__crs_before AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__crs_before" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "crs_before", s.id__ AS "crs_before__id"
  FROM around__crs_before AS b
  LEFT JOIN found__crs_before AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__crs_before AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__crs_after" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__crs_after" AS (
  -- crs_after: min crs_grade.grade in (start_time, end_time + $after]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__crs_before
),
"found__crs_after" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__crs_after AS b
  JOIN seen__crs_after AS s ON s.patient_id = b.patient_id AND s.at__ > b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__crs_after" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "crs_after", s.id__ AS "crs_after__id"
  FROM around__crs_after AS b
  LEFT JOIN found__crs_after AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__crs_after AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"rows__2" AS (
  SELECT *, (icans_after < icans_before) AS "neuro_responded", (crs_after < crs_before) AS "crs_responded"
  FROM rows__crs_after
),
"rows__3" AS (
  SELECT *,
    (neuro_responded OR crs_responded) AS "responded",
    CASE  WHEN (((peak_icans >= 3) AND neuro_responded)) THEN ('grade 3-4 response') WHEN (((peak_icans >= 3) AND (NOT neuro_responded))) THEN ('grade 3-4 no response') WHEN (((peak_icans >= 1) AND (peak_icans < 3))) THEN ('grade 1-2') ELSE NULL END AS "response_group"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "peak_icans__id", "peak_crs__id", "icans_before__id", "icans_after__id", "crs_before__id", "crs_after__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS end_day,
  r."window_number",
  r."peak_icans",
  r."peak_crs",
  r."icans_before",
  r."icans_after",
  r."crs_before",
  r."crs_after",
  r."neuro_responded",
  r."crs_responded",
  r."responded",
  r."response_group",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
