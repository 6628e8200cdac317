WITH "rows__base" AS (
  -- CAR-T product events
  SELECT r.patient_id, r.event_id AS key__, r."time", r."concept"
  FROM observation AS r
  WHERE r.concept IN ('axicabtagene_ciloleucel', 'brexucabtagene_autoleucel', 'ciltacabtagene_autoleucel', 'idecabtagene_vicleucel', 'lisocabtagene_maraleucel', 'tisagenlecleucel')
),
"rows__1" AS (
  SELECT *, concept AS "product"
  FROM rows__base
),
"seen__another_sorts_first" AS (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."concept" AS x__concept
  FROM observation AS s
  WHERE s.concept IN ('axicabtagene_ciloleucel', 'brexucabtagene_autoleucel', 'ciltacabtagene_autoleucel', 'idecabtagene_vicleucel', 'lisocabtagene_maraleucel', 'tisagenlecleucel')
),
"around__another_sorts_first" AS (
  -- another_sorts_first: any car_t_product in [time, time]
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__1
),
"found__another_sorts_first" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, [first(s.id__ ORDER BY s.at__ NULLS FIRST, s.id__)] AS ids__
  FROM around__another_sorts_first AS b
  JOIN seen__another_sorts_first AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND ((s.x__concept < b.concept))
  GROUP BY b.patient_id, b.key__
),
"rows__another_sorts_first" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, FALSE) END AS "another_sorts_first",
    f.ids__ AS "another_sorts_first__id"
  FROM around__another_sorts_first AS b
  LEFT JOIN found__another_sorts_first AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([[key__], "another_sorts_first__id"]))) AS ids__
  FROM rows__another_sorts_first
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."product",
  r."another_sorts_first",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
