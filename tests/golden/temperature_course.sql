WITH "rows__base" AS (
  -- Charted temperatures, and since when they have been raised
  SELECT r.patient_id, r.number AS key__, r."time", r."value", r."high", r."raised", r.evidence AS evidence__
  FROM "charted_temperature" AS r
),
"rows__1" AS (
  SELECT *, "value" AS "value__new", high AS "high__new", raised AS "raised__new"
  FROM rows__base
),
"seen__last_normal" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "charted_temperature" AS s
  WHERE s."time" IS NOT NULL AND ((NOT s.raised)) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__last_normal" AS (
  -- last_normal: last charted_temperature.time in [time - $charting, time)
  SELECT *, CAST(("time" - to_hours(6)) AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__last_normal" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "last_normal",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "last_normal__id"
  FROM around__last_normal AS b
  ASOF LEFT JOIN seen__last_normal AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__raised_since" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."time" AS value__,
    s."raised" AS x__raised,
    s."time" AS x__time
  FROM "charted_temperature" AS s
  WHERE s."time" IS NOT NULL
),
"around__raised_since" AS (
  -- raised_since: first charted_temperature.time in [time - $charting, time - $lasting]
  SELECT *,
    CAST(("time" - to_hours(6)) AS TIMESTAMP) AS from__,
    CAST(("time" - to_hours(1)) AS TIMESTAMP) AS to__
  FROM rows__last_normal
),
"found__raised_since" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__raised_since AS b
  JOIN seen__raised_since AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__raised AND ((b.last_normal IS NULL) OR (s.x__time > b.last_normal))))
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"rows__raised_since" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "raised_since", s.id__ AS "raised_since__id"
  FROM around__raised_since AS b
  LEFT JOIN found__raised_since AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__raised_since AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"rows__2" AS (
  SELECT *, (raised AND (raised_since IS NOT NULL)) AS "sustained"
  FROM rows__raised_since
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, "last_normal__id", "raised_since__id"]))) AS ids__
  FROM rows__2
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."value__new" AS "value",
  r."high__new" AS "high",
  r."raised__new" AS "raised",
  r."last_normal",
  r."raised_since",
  r."sustained",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
