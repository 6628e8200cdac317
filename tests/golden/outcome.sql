WITH "rows__base" AS (
  -- Survival and best response from the infusion
  SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__
  FROM "infusion" AS r
),
"rows__1" AS (
  SELECT *, "time" AS "infusion_time"
  FROM rows__base
),
"seen__death_time" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."time" AS value__
  FROM observation AS s
  WHERE s.concept IN ('death') AND s."time" IS NOT NULL
),
"best__death_time" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__1 AS b
  JOIN seen__death_time AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__death_time" AS (
  SELECT b.*, s.value__ AS "death_time", s.id__ AS "death_time__id"
  FROM rows__1 AS b
  LEFT JOIN best__death_time AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__death_time AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.id__) = 1
),
"seen__best_response" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."response" AS value__
  FROM "best_tumour_response" AS s
  WHERE s."response" IS NOT NULL
),
"best__best_response" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__death_time AS b
  JOIN seen__best_response AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__best_response" AS (
  SELECT b.*, s.value__ AS "best_response", s.id__ AS "best_response__id"
  FROM rows__death_time AS b
  LEFT JOIN best__best_response AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__best_response AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"seen__undated_death" AS (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__
  FROM observation AS s
  WHERE s.concept IN ('death', 'known_dead') AND ((s."time" IS NULL))
),
"found__undated_death" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, [first(s.id__ ORDER BY s.at__ NULLS FIRST, s.id__)] AS ids__
  FROM rows__best_response AS b
  JOIN seen__undated_death AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__undated_death" AS (
  SELECT b.*, coalesce(f.value__, FALSE) AS "undated_death", f.ids__ AS "undated_death__id"
  FROM rows__best_response AS b
  LEFT JOIN found__undated_death AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__2" AS (
  SELECT *, ((death_time IS NOT NULL) OR undated_death) AS "died"
  FROM rows__undated_death
),
"seen__last_time" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."time" AS value__, s."time" AS x__time
  FROM meta.any_event AS s
  WHERE s."time" IS NOT NULL
),
"best__last_time" AS (
  SELECT b.patient_id, b.key__, max(s.at__) AS best__
  FROM rows__2 AS b
  JOIN seen__last_time AS s ON s.patient_id = b.patient_id AND (((b.death_time IS NULL) OR (s.x__time <= b.death_time)))
  GROUP BY b.patient_id, b.key__
),
"rows__last_time" AS (
  SELECT b.*, s.value__ AS "last_time", s.id__ AS "last_time__id"
  FROM rows__2 AS b
  LEFT JOIN best__last_time AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__last_time AS s ON s.patient_id = b.patient_id AND (((b.death_time IS NULL) OR (s.x__time <= b.death_time))) AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ DESC NULLS LAST, s.id__) = 1
),
"seen__cause" AS NOT MATERIALIZED (
  SELECT s.patient_id,
    s.event_id AS id__,
    s."time" AS at__,
    s."text" AS value__,
    s."text" AS x__text,
    s."time" AS x__time
  FROM observation AS s
  WHERE s.concept IN ('death') AND s."text" IS NOT NULL
),
"best__cause" AS (
  SELECT b.patient_id, b.key__, max(s.at__) AS best__
  FROM rows__last_time AS b
  JOIN seen__cause AS s ON s.patient_id = b.patient_id AND (((s.x__text IS NOT NULL) AND ((s.x__time IS NULL) OR (s.x__time = b.death_time))))
  GROUP BY b.patient_id, b.key__
),
"rows__cause" AS (
  SELECT b.*, s.value__ AS "cause", s.id__ AS "cause__id"
  FROM rows__last_time AS b
  LEFT JOIN best__cause AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__cause AS s ON s.patient_id = b.patient_id AND (((s.x__text IS NOT NULL) AND ((s.x__time IS NULL) OR (s.x__time = b.death_time)))) AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ DESC NULLS LAST, s.id__) = 1
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN (((death_time IS NOT NULL) OR (NOT undated_death))) THEN ((CAST(last_time AS date) - CAST(infusion_time AS date))) ELSE NULL END AS "os_days"
  FROM rows__cause
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, ["death_time__id"], "best_response__id", "undated_death__id", ["last_time__id"], ["cause__id"]]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."infusion_time",
  r."death_time",
  r."last_time",
  r."os_days",
  r."died",
  r."cause",
  r."best_response",
  r."undated_death",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
