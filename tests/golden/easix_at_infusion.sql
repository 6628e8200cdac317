WITH "rows__base" AS (
  -- EASIX, s-EASIX and m-EASIX around the infusion
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
"seen__easix" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."easix" AS value__
  FROM "easix" AS s
  WHERE s."easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__easix" AS (
  -- easix: last easix.easix in [time - $before, time]
  SELECT *, CAST(("time" - to_hours(168)) AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__lymphodepletion_time
),
"rows__easix" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "easix",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "easix__id"
  FROM around__easix AS b
  ASOF LEFT JOIN seen__easix AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__s_easix" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."s_easix" AS value__
  FROM "easix" AS s
  WHERE s."s_easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__s_easix" AS (
  -- s_easix: last easix.s_easix in [time - $before, time]
  SELECT *, CAST(("time" - to_hours(168)) AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__easix
),
"rows__s_easix" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "s_easix",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "s_easix__id"
  FROM around__s_easix AS b
  ASOF LEFT JOIN seen__s_easix AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__m_easix" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."m_easix" AS value__
  FROM "easix" AS s
  WHERE s."m_easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__m_easix" AS (
  -- m_easix: last easix.m_easix in [time - $before, time]
  SELECT *, CAST(("time" - to_hours(168)) AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__s_easix
),
"rows__m_easix" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "m_easix",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "m_easix__id"
  FROM around__m_easix AS b
  ASOF LEFT JOIN seen__m_easix AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__m_easix_day_before" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."m_easix" AS value__
  FROM "easix" AS s
  WHERE s."m_easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__m_easix_day_before" AS (
  -- m_easix_day_before: last easix.m_easix in [time::date - $day, time::date)
  SELECT *,
    CAST((CAST("time" AS date) - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(CAST("time" AS date) AS TIMESTAMP) AS to__
  FROM rows__m_easix
),
"rows__m_easix_day_before" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "m_easix_day_before",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "m_easix_day_before__id"
  FROM around__m_easix_day_before AS b
  ASOF LEFT JOIN seen__m_easix_day_before AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__m_easix_day_after" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."m_easix" AS value__
  FROM "easix" AS s
  WHERE s."m_easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__m_easix_day_after" AS (
  -- m_easix_day_after: first easix.m_easix in [next_midnight(time), next_midnight(next_midnight(time)))
  SELECT *,
    CAST(CAST((CAST("time" AS DATE) + 1) AS TIMESTAMP) AS TIMESTAMP) AS from__,
    CAST(CAST((CAST(CAST((CAST("time" AS DATE) + 1) AS TIMESTAMP) AS DATE) + 1) AS TIMESTAMP) AS TIMESTAMP) AS to__
  FROM rows__m_easix_day_before
),
"rows__m_easix_day_after" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "m_easix_day_after",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "m_easix_day_after__id"
  FROM around__m_easix_day_after AS b
  ASOF LEFT JOIN seen__m_easix_day_after AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"seen__m_easix_lymphodepletion" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."m_easix" AS value__
  FROM "easix" AS s
  WHERE s."m_easix" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__m_easix_lymphodepletion" AS (
  -- m_easix_lymphodepletion: last easix.m_easix in [lymphodepletion_time - $before, lymphodepletion_time]
  SELECT *,
    CAST((lymphodepletion_time - to_hours(168)) AS TIMESTAMP) AS from__,
    CAST(lymphodepletion_time AS TIMESTAMP) AS to__
  FROM rows__m_easix_day_after
),
"rows__m_easix_lymphodepletion" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "m_easix_lymphodepletion",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "m_easix_lymphodepletion__id"
  FROM around__m_easix_lymphodepletion AS b
  ASOF LEFT JOIN seen__m_easix_lymphodepletion AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "lymphodepletion_time__id", "easix__id", "s_easix__id", "m_easix__id", "m_easix_day_before__id", "m_easix_day_after__id", "m_easix_lymphodepletion__id"]))) AS ids__
  FROM rows__m_easix_lymphodepletion
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."lymphodepletion_time",
  r."easix",
  r."s_easix",
  r."m_easix",
  r."m_easix_lymphodepletion",
  r."m_easix_day_before",
  r."m_easix_day_after",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
