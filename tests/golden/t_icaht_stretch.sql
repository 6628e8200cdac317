WITH "rows__base" AS (
  -- How long each platelet count speaks for the days after it
  SELECT r.patient_id,
    r.number AS key__,
    r."time",
    r."below_100",
    r."below_50",
    r."below_20",
    r.evidence AS evidence__
  FROM "t_icaht_count" AS r
),
"seen__next_time" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_time" AS (
  -- next_time: first t_icaht_count.time in (time, time + $hold]
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(("time" + to_hours(72)) AS TIMESTAMP) AS to__
  FROM rows__base
),
"rows__next_time" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "next_time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "next_time__id"
  FROM around__next_time AS b
  ASOF LEFT JOIN seen__next_time AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__start" AS NOT MATERIALIZED (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."time" AS value__,
    s."early_end" AS x__early_end,
    s."late_end" AS x__late_end
  FROM "t_icaht_period" AS s
  WHERE s."time" IS NOT NULL
),
"best__start" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__next_time AS b
  JOIN seen__start AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__start" AS (
  SELECT b.*,
    s.value__ AS "start",
    s.x__early_end AS "start__early_end",
    s.x__late_end AS "start__late_end",
    s.id__ AS "start__id"
  FROM rows__next_time AS b
  LEFT JOIN best__start AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__start AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"seen__last_100" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_100) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__last_100" AS (
  -- last_100: last t_icaht_count.time in (-inf, time)
  SELECT *, CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__start
),
"rows__last_100" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ < s.at__ THEN s.value__ END AS "last_100",
    CASE WHEN b.from__ < s.at__ THEN s.id__ END AS "last_100__id"
  FROM around__last_100 AS b
  ASOF LEFT JOIN seen__last_100 AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__next_100" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_100) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_100" AS (
  -- next_100: first t_icaht_count.time in (time, inf)
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__last_100
),
"rows__next_100" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "next_100",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "next_100__id"
  FROM around__next_100 AS b
  ASOF LEFT JOIN seen__next_100 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__last_50" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_50) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__last_50" AS (
  -- last_50: last t_icaht_count.time in (-inf, time)
  SELECT *, CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__next_100
),
"rows__last_50" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ < s.at__ THEN s.value__ END AS "last_50",
    CASE WHEN b.from__ < s.at__ THEN s.id__ END AS "last_50__id"
  FROM around__last_50 AS b
  ASOF LEFT JOIN seen__last_50 AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__next_50" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_50) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_50" AS (
  -- next_50: first t_icaht_count.time in (time, inf)
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__last_50
),
"rows__next_50" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "next_50",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "next_50__id"
  FROM around__next_50 AS b
  ASOF LEFT JOIN seen__next_50 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__last_20" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_20) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__last_20" AS (
  -- last_20: last t_icaht_count.time in (-inf, time)
  SELECT *, CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__next_50
),
"rows__last_20" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ < s.at__ THEN s.value__ END AS "last_20",
    CASE WHEN b.from__ < s.at__ THEN s.id__ END AS "last_20__id"
  FROM around__last_20 AS b
  ASOF LEFT JOIN seen__last_20 AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__next_20" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND (s.below_20) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_20" AS (
  -- next_20: first t_icaht_count.time in (time, inf)
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__last_20
),
"rows__next_20" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "next_20",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "next_20__id"
  FROM around__next_20 AS b
  ASOF LEFT JOIN seen__next_20 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"rows__1" AS (
  SELECT *,
    COALESCE(next_time, ("time" + to_hours(72))) AS "until",
    start__early_end AS "early_end",
    start__late_end AS "late_end"
  FROM rows__next_20
),
"seen__recovered_100" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__recovered_100" AS (
  -- recovered_100: first t_icaht_count.time in (last_100, time]
  SELECT *, CAST(last_100 AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__recovered_100" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "recovered_100",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "recovered_100__id"
  FROM around__recovered_100 AS b
  ASOF LEFT JOIN seen__recovered_100 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__recovered_50" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__recovered_50" AS (
  -- recovered_50: first t_icaht_count.time in (last_50, time]
  SELECT *, CAST(last_50 AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__recovered_100
),
"rows__recovered_50" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "recovered_50",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "recovered_50__id"
  FROM around__recovered_50 AS b
  ASOF LEFT JOIN seen__recovered_50 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__recovered_20" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "t_icaht_count" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__recovered_20" AS (
  -- recovered_20: first t_icaht_count.time in (last_20, time]
  SELECT *, CAST(last_20 AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__recovered_50
),
"rows__recovered_20" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "recovered_20",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "recovered_20__id"
  FROM around__recovered_20 AS b
  ASOF LEFT JOIN seen__recovered_20 AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"rows__2" AS (
  SELECT *,
    CASE  WHEN (("start" IS NOT NULL)) THEN (greatest(0, (((epoch_us(least("until", early_end)) - epoch_us(greatest("time", "start"))) / 3600000000.0) / "nullif"(24, 0)))) ELSE NULL END AS "days",
    CASE  WHEN (("start" IS NOT NULL)) THEN (greatest(0, (((epoch_us(least("until", late_end)) - epoch_us(greatest("time", early_end))) / 3600000000.0) / "nullif"(24, 0)))) ELSE NULL END AS "late_days",
    (below_100 OR COALESCE((next_100 < (recovered_100 + to_hours(72))), false)) AS "low_100",
    (below_50 OR COALESCE((next_50 < (recovered_50 + to_hours(72))), false)) AS "low_50",
    (below_20 OR COALESCE((next_20 < (recovered_20 + to_hours(72))), false)) AS "low_20"
  FROM rows__recovered_20
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "next_time__id", "start__id", "last_100__id", "next_100__id", "last_50__id", "next_50__id", "last_20__id", "next_20__id", "recovered_100__id", "recovered_50__id", "recovered_20__id"]))) AS ids__
  FROM rows__2
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."next_time",
  r."until",
  r."start",
  r."early_end",
  r."late_end",
  r."days",
  r."late_days",
  r."last_100",
  r."recovered_100",
  r."next_100",
  r."low_100",
  r."last_50",
  r."recovered_50",
  r."next_50",
  r."low_50",
  r."last_20",
  r."recovered_20",
  r."next_20",
  r."low_20",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
