WITH "rows__base" AS (
  -- Patients of the study, step by step
  SELECT r.patient_id, 1 AS key__, CAST([] AS UBIGINT[]) AS evidence__, index."time" AS index__time
  FROM patient AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
),
"seen__product" AS NOT MATERIALIZED (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."product" AS value__
  FROM "infusion" AS s
  WHERE s."product" IS NOT NULL
),
"best__product" AS (
  SELECT b.patient_id, b.key__, CASE WHEN count(s.at__) = count(*) THEN min(s.at__) END AS best__
  FROM rows__base AS b
  JOIN seen__product AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__product" AS (
  SELECT b.*, s.value__ AS "product", s.id__ AS "product__id"
  FROM rows__base AS b
  LEFT JOIN best__product AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__product AS s ON s.patient_id = b.patient_id AND s.at__ IS NOT DISTINCT
  FROM f.best__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.at__ NULLS FIRST, s.number__) = 1
),
"seen__first_anakinra" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."start_time" AS at__,
    s.number AS number__,
    s."start_time" AS value__
  FROM "anakinra_window" AS s
  WHERE s."start_time" IS NOT NULL AND s."start_time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__first_anakinra" AS (
  -- first_anakinra: first anakinra_window.start_time in [index.time, inf)
  SELECT *, CAST(index__time AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__product
),
"rows__first_anakinra" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ > s.at__ THEN s.value__ END AS "first_anakinra",
    CASE WHEN b.to__ > s.at__ THEN s.id__ END AS "first_anakinra__id"
  FROM around__first_anakinra AS b
  ASOF LEFT JOIN seen__first_anakinra AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"seen__icans" AS (
  SELECT s.patient_id, s.evidence AS id__, s."start_time" AS at__, s.number AS number__
  FROM "icans_episode" AS s
),
"found__icans" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM rows__first_anakinra AS b
  JOIN seen__icans AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__icans" AS (
  SELECT b.*, coalesce(f.value__, FALSE) AS "icans", f.ids__ AS "icans__id"
  FROM rows__first_anakinra AS b
  LEFT JOIN found__icans AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__crs" AS (
  SELECT s.patient_id, s.evidence AS id__, s."start_time" AS at__, s.number AS number__
  FROM "crs_episode" AS s
),
"found__crs" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM rows__icans AS b
  JOIN seen__crs AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__crs" AS (
  SELECT b.*, coalesce(f.value__, FALSE) AS "crs", f.ids__ AS "crs__id"
  FROM rows__icans AS b
  LEFT JOIN found__crs AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__refractory_before_anakinra" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."start_time" AS at__,
    s.number AS number__,
    s."status" AS x__status,
    s."window_end" AS x__window_end
  FROM "steroid_refractory" AS s
),
"found__refractory_before_anakinra" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM rows__crs AS b
  JOIN seen__refractory_before_anakinra AS s ON s.patient_id = b.patient_id AND (((s.x__status = 'refractory') AND (s.x__window_end <= b.first_anakinra)))
  GROUP BY b.patient_id, b.key__
),
"rows__refractory_before_anakinra" AS (
  SELECT b.*,
    coalesce(f.value__, FALSE) AS "refractory_before_anakinra",
    f.ids__ AS "refractory_before_anakinra__id"
  FROM rows__crs AS b
  LEFT JOIN found__refractory_before_anakinra AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__steps" AS (
  SELECT *,
    coalesce((product IN ('axicabtagene_ciloleucel', 'tisagenlecleucel')), FALSE) AS "infusion",
    coalesce((first_anakinra IS NOT NULL), FALSE) AS "anakinra",
    coalesce((icans OR crs), FALSE) AS "toxicity",
    coalesce(((NOT false) OR refractory_before_anakinra), FALSE) AS "refractory"
  FROM rows__refractory_before_anakinra
),
"rows__included" AS (
  SELECT *,
    "infusion" AND "anakinra" AND "toxicity" AND "refractory" AS "included",
    CASE WHEN NOT "infusion" THEN 'infusion' WHEN NOT "anakinra" THEN 'anakinra' WHEN NOT "toxicity" THEN 'toxicity' WHEN NOT "refractory" THEN 'refractory' END AS "excluded_at"
  FROM rows__steps
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "product__id", "first_anakinra__id", "icans__id", "crs__id", "refractory_before_anakinra__id"]))) AS ids__
  FROM rows__included
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."key__") AS INTEGER) AS number,
  r."included",
  r."excluded_at",
  r."infusion",
  r."anakinra",
  r."toxicity",
  r."refractory",
  r."product",
  r."first_anakinra",
  r."icans",
  r."crs",
  r."refractory_before_anakinra",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
