WITH "rows__base" AS (
  -- Fevers, with the neutrophil count that belongs to them
  SELECT r.patient_id, r.number AS key__, r."time", r."value", r."kind", r.evidence AS evidence__
  FROM "fever_reading" AS r
),
"rows__1" AS (
  SELECT *, "value" AS "temperature", kind AS "kind__new"
  FROM rows__base
),
"seen__neutrophils" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."value" AS value__,
    s."low" AS x__low,
    s."near_low" AS x__near_low,
    s."time" AS x__time
  FROM "neutrophil_count" AS s
  WHERE s."value" IS NOT NULL
),
"around__neutrophils" AS (
  -- neutrophils: nearest neutrophil_count.value in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__,
    CAST("time" AS TIMESTAMP) AS near__
  FROM rows__1
),
"found__neutrophils" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__neutrophils AS b
  JOIN seen__neutrophils AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__ AND b.near__ IS NOT NULL AND s.at__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY abs(epoch_us(s.at__) - epoch_us(b.near__)), s.at__ NULLS FIRST, s.number__) = 1
),
"rows__neutrophils" AS (
  SELECT b.* EXCLUDE (from__, to__, near__),
    s.value__ AS "neutrophils",
    s.x__low AS "neutrophils__low",
    s.x__near_low AS "neutrophils__near_low",
    s.x__time AS "neutrophils__time",
    s.id__ AS "neutrophils__id"
  FROM around__neutrophils AS b
  LEFT JOIN found__neutrophils AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__neutrophils AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__fallen" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "neutrophil_count" AS s
  WHERE s."value" IS NOT NULL AND (s.low) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__fallen" AS (
  -- fallen: first neutrophil_count.value in (time, time + $fall]
  SELECT *, CAST("time" AS TIMESTAMP) AS from__, CAST(("time" + to_hours(48)) AS TIMESTAMP) AS to__
  FROM rows__neutrophils
),
"rows__fallen" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "fallen",
    CASE WHEN b.to__ >= s.at__ THEN s.x__time END AS "fallen__time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "fallen__id"
  FROM around__fallen AS b
  ASOF LEFT JOIN seen__fallen AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"rows__2" AS (
  SELECT *,
    CASE  WHEN (neutrophils__low) THEN (neutrophils__time) ELSE fallen__time END AS "low_time",
    CASE  WHEN ((neutrophils IS NULL)) THEN ('indeterminate') WHEN (neutrophils__low) THEN ('neutropenic') WHEN ((neutrophils__near_low AND (fallen IS NOT NULL))) THEN ('neutropenic') ELSE 'not neutropenic' END AS "status"
  FROM rows__fallen
),
"rows__evidence" AS (
  SELECT *, list_sort(list_distinct(flatten([evidence__, "neutrophils__id", "fallen__id"]))) AS ids__
  FROM rows__2
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - NULL AS INTEGER) AS day,
  r."temperature",
  r."kind__new" AS "kind",
  r."neutrophils",
  r."fallen",
  r."low_time",
  r."status",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
