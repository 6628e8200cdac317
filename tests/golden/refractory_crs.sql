WITH "rows__base" AS (
  -- Tocilizumab-refractory CRS
  SELECT r.patient_id, r.number AS key__, r."number", r."start_time", r."end_time", r.evidence AS evidence__
  FROM "crs_episode" AS r
),
"rows__1" AS (
  SELECT *, number AS "crs_number"
  FROM rows__base
),
"seen__tocilizumab_time" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "tocilizumab_dose" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__tocilizumab_time" AS (
  -- tocilizumab_time: first tocilizumab_dose.time in [start_time, end_time + $search]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__tocilizumab_time" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "tocilizumab_time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "tocilizumab_time__id"
  FROM around__tocilizumab_time AS b
  ASOF LEFT JOIN seen__tocilizumab_time AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"seen__doses" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "tocilizumab_dose" AS s
),
"around__doses" AS (
  -- doses: count tocilizumab_dose in [start_time, end_time + $search]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((end_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__tocilizumab_time
),
"found__doses" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__doses AS b
  JOIN seen__doses AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__doses" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "doses",
    f.ids__ AS "doses__id"
  FROM around__doses AS b
  LEFT JOIN found__doses AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__2" AS (
  SELECT *, (tocilizumab_time + to_hours(24)) AS "window_end"
  FROM rows__doses
),
"seen__grade_at_tocilizumab" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__grade_at_tocilizumab" AS (
  -- grade_at_tocilizumab: last crs_grade.grade in [start_time, tocilizumab_time]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST(tocilizumab_time AS TIMESTAMP) AS to__
  FROM rows__2
),
"rows__grade_at_tocilizumab" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "grade_at_tocilizumab",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "grade_at_tocilizumab__id"
  FROM around__grade_at_tocilizumab AS b
  ASOF LEFT JOIN seen__grade_at_tocilizumab AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__late_fever" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."time" AS value__
  FROM "fever_after_infusion" AS s
  WHERE s."time" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__late_fever" AS (
  -- late_fever: first fever_after_infusion.time in (tocilizumab_time + $fever, end_time + $join]
  SELECT *,
    CAST((tocilizumab_time + to_hours(72)) AS TIMESTAMP) AS from__,
    CAST((end_time + to_hours(48)) AS TIMESTAMP) AS to__
  FROM rows__grade_at_tocilizumab
),
"rows__late_fever" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "late_fever",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "late_fever__id"
  FROM around__late_fever AS b
  ASOF LEFT JOIN seen__late_fever AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"seen__best_grade" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__best_grade" AS (
  -- best_grade: min crs_grade.grade in (tocilizumab_time, window_end]
  SELECT *, CAST(tocilizumab_time AS TIMESTAMP) AS from__, CAST(window_end AS TIMESTAMP) AS to__
  FROM rows__late_fever
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
    CASE  WHEN ((tocilizumab_time IS NULL)) THEN ('untreated') WHEN ((grade_at_tocilizumab < 2)) THEN ('untreated') WHEN ((late_fever IS NOT NULL)) THEN ('refractory') WHEN ((best_grade IS NULL)) THEN ('indeterminate') WHEN (((grade_at_tocilizumab - best_grade) >= 1)) THEN ('responsive') ELSE 'refractory' END AS "status"
  FROM rows__best_grade
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "tocilizumab_time__id", "doses__id", "grade_at_tocilizumab__id", "late_fever__id", "best_grade__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS end_day,
  r."crs_number",
  r."tocilizumab_time",
  r."grade_at_tocilizumab",
  r."window_end",
  r."best_grade",
  r."doses",
  r."late_fever",
  r."status",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
