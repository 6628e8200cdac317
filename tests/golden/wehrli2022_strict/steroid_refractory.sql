WITH "rows__base" AS (
  -- Steroid-refractory ICANS, steroids before anakinra
  SELECT r.patient_id,
    r.number AS key__,
    r."number",
    r."start_time",
    r."end_time",
    r.evidence AS evidence__,
    index."product" AS index__product
  FROM "icans_episode" AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
),
"rows__1" AS (
  SELECT *, number AS "icans_number", index__product AS "product"
  FROM rows__base
),
"seen__steroid_time" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "steroid_dose" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__steroid_time" AS (
  -- steroid_time: first steroid_dose.time in [start_time, end_time + $search]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__steroid_time" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "steroid_time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "steroid_time__id"
  FROM around__steroid_time AS b
  ASOF LEFT JOIN seen__steroid_time AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"rows__2" AS (
  SELECT *,
    CASE  WHEN ((index__product = 'tisagenlecleucel')) THEN (greatest(CAST((CAST(steroid_time AS DATE) + 1) AS TIMESTAMP), (steroid_time + to_hours(6)))) ELSE (steroid_time + to_hours(24)) END AS "window_end"
  FROM rows__steroid_time
),
"seen__grade_at_steroid" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__grade_at_steroid" AS (
  -- grade_at_steroid: last icans_grade.grade in [start_time, steroid_time]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST(steroid_time AS TIMESTAMP) AS to__
  FROM rows__2
),
"rows__grade_at_steroid" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "grade_at_steroid",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "grade_at_steroid__id"
  FROM around__grade_at_steroid AS b
  ASOF LEFT JOIN seen__grade_at_steroid AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__anakinra_time" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "anakinra_dose" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__anakinra_time" AS (
  -- anakinra_time: first anakinra_dose.time in [start_time - $look_back, steroid_time + $concurrent]
  SELECT *,
    CAST((start_time - to_hours(48)) AS TIMESTAMP) AS from__,
    CAST((steroid_time + to_hours(0)) AS TIMESTAMP) AS to__
  FROM rows__grade_at_steroid
),
"rows__anakinra_time" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "anakinra_time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "anakinra_time__id"
  FROM around__anakinra_time AS b
  ASOF LEFT JOIN seen__anakinra_time AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"seen__best_grade" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__best_grade" AS (
  -- best_grade: min icans_grade.grade in (steroid_time, window_end]
  SELECT *, CAST(steroid_time AS TIMESTAMP) AS from__, CAST(window_end AS TIMESTAMP) AS to__
  FROM rows__anakinra_time
),
"found__best_grade" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__best_grade AS b
  JOIN seen__best_grade AS s ON s.patient_id = b.patient_id AND s.at__ > b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__best_grade" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "best_grade", s.id__ AS "best_grade__id"
  FROM around__best_grade AS b
  LEFT JOIN found__best_grade AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__best_grade AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN ((steroid_time IS NULL)) THEN ('untreated') WHEN ((grade_at_steroid < 1)) THEN ('untreated') WHEN ((anakinra_time IS NOT NULL)) THEN ('indeterminate') WHEN ((best_grade IS NULL)) THEN ('indeterminate') WHEN (((grade_at_steroid - best_grade) >= 1)) THEN ('responsive') ELSE 'refractory' END AS "status"
  FROM rows__best_grade
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "steroid_time__id", "grade_at_steroid__id", "anakinra_time__id", "best_grade__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS end_day,
  r."icans_number",
  r."product",
  r."steroid_time",
  r."grade_at_steroid",
  r."window_end",
  r."best_grade",
  r."anakinra_time",
  r."status",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
