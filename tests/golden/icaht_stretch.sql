WITH "rows__base" AS (
  -- How long each neutrophil count speaks for the days after it
  SELECT r.patient_id, r.number AS key__, r."time", r."low", r."very_low", r.evidence AS evidence__
  FROM "icaht_count" AS r
),
"rows__1" AS (
  SELECT *, low AS "low__new", very_low AS "very_low__new"
  FROM rows__base
),
"seen__next_time" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "icaht_count" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__next_time" AS (
  -- next_time: first icaht_count.time in (time, time + $hold]
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(("time" + to_hours(72)) AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__next_time" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "next_time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "next_time__id"
  FROM around__next_time AS b
  ASOF LEFT JOIN seen__next_time AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__period_start" AS NOT MATERIALIZED (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."time" AS value__,
    s."ends" AS x__ends
  FROM "icaht_period" AS s
  WHERE s."time" IS NOT NULL
),
"best__period_start" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__next_time AS b
  JOIN seen__period_start AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__period_start" AS (
  SELECT b.*, s.value__ AS "period_start", s.x__ends AS "period_start__ends", s.id__ AS "period_start__id"
  FROM rows__next_time AS b
  LEFT JOIN best__period_start AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__period_start AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"rows__2" AS (
  SELECT *, COALESCE(next_time, ("time" + to_hours(72))) AS "until", period_start__ends AS "period_end"
  FROM rows__period_start
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN ((period_start IS NOT NULL)) THEN (greatest(0, (((epoch_us(least("until", period_end)) - epoch_us(greatest("time", period_start))) / 3600000000.0) / "nullif"(24, 0)))) ELSE NULL END AS "days"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, "next_time__id", "period_start__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."low__new" AS "low",
  r."very_low__new" AS "very_low",
  r."next_time",
  r."until",
  r."period_start",
  r."period_end",
  r."days",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
