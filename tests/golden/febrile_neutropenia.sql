WITH "rows__base" AS (
  -- Febrile neutropenia, first antibiotic and recovery
  SELECT r.patient_id,
    r.number AS key__,
    r."start_time",
    r."fevers",
    r."peak_temperature",
    r."lowest_neutrophils",
    r."low_time",
    r."end_time",
    r.evidence AS evidence__
  FROM "neutropenic_fever" AS r
),
"rows__1" AS (
  SELECT *,
    fevers AS "fevers__new",
    peak_temperature AS "peak_temperature__new",
    lowest_neutrophils AS "lowest_neutrophils__new"
  FROM rows__base
),
"seen__covered" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "antibiotic_dose" AS s
),
"around__covered" AS (
  -- covered: any antibiotic_dose in [start_time - $covered, start_time)
  SELECT *, CAST((start_time - to_hours(24)) AS TIMESTAMP) AS from__, CAST(start_time AS TIMESTAMP) AS to__
  FROM rows__1
),
"found__covered" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM around__covered AS b
  JOIN seen__covered AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__covered" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, FALSE) END AS "covered",
    f.ids__ AS "covered__id"
  FROM around__covered AS b
  LEFT JOIN found__covered AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__antibiotic" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."drug" AS value__,
    s."time" AS x__time
  FROM "antibiotic_dose" AS s
  WHERE s."drug" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__antibiotic" AS (
  -- antibiotic: first antibiotic_dose.drug in [start_time, start_time + $search]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((start_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__covered
),
"rows__antibiotic" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "antibiotic",
    CASE WHEN b.to__ >= s.at__ THEN s.x__time END AS "antibiotic__time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "antibiotic__id"
  FROM around__antibiotic AS b
  ASOF LEFT JOIN seen__antibiotic AS s ON s.patient_id = b.patient_id AND b.from__ <= s.at__
),
"seen__antipseudomonal" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "antipseudomonal_dose" AS s
),
"around__antipseudomonal" AS (
  -- antipseudomonal: any antipseudomonal_dose in [start_time, start_time + $search]
  SELECT *, CAST(start_time AS TIMESTAMP) AS from__, CAST((start_time + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__antibiotic
),
"found__antipseudomonal" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM around__antipseudomonal AS b
  JOIN seen__antipseudomonal AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__antipseudomonal" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, FALSE) END AS "antipseudomonal",
    f.ids__ AS "antipseudomonal__id"
  FROM around__antipseudomonal AS b
  LEFT JOIN found__antipseudomonal AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__recovery_neutrophils" AS (
  SELECT s.patient_id,
    s.evidence AS id__,
    s."time" AS at__,
    s.number AS number__,
    s."value" AS value__,
    s."time" AS x__time
  FROM "neutrophil_count" AS s
  WHERE s."value" IS NOT NULL AND ((NOT s.low)) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__recovery_neutrophils" AS (
  -- recovery_neutrophils: first neutrophil_count.value in (greatest(start_time, low_time), start_time + $recovery]
  SELECT *,
    CAST(greatest(start_time, low_time) AS TIMESTAMP) AS from__,
    CAST((start_time + to_hours(720)) AS TIMESTAMP) AS to__
  FROM rows__antipseudomonal
),
"rows__recovery_neutrophils" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.to__ >= s.at__ THEN s.value__ END AS "recovery_neutrophils",
    CASE WHEN b.to__ >= s.at__ THEN s.x__time END AS "recovery_neutrophils__time",
    CASE WHEN b.to__ >= s.at__ THEN s.id__ END AS "recovery_neutrophils__id"
  FROM around__recovery_neutrophils AS b
  ASOF LEFT JOIN seen__recovery_neutrophils AS s ON s.patient_id = b.patient_id AND b.from__ < s.at__
),
"rows__2" AS (
  SELECT *,
    antibiotic__time AS "antibiotic_time",
    ((epoch_us(antibiotic__time) - epoch_us(start_time)) / 3600000000.0) AS "hours_to_antibiotic",
    recovery_neutrophils__time AS "recovery_time",
    ((epoch_us(recovery_neutrophils__time) - epoch_us(start_time)) / 3600000000.0) AS "hours_to_recovery"
  FROM rows__recovery_neutrophils
),
"rows__3" AS (
  SELECT *, CASE  WHEN ((NOT covered)) THEN ((hours_to_antibiotic <= 1)) ELSE NULL END AS "within_hour"
  FROM rows__2
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "covered__id", "antibiotic__id", "antipseudomonal__id", "recovery_neutrophils__id"]))) AS ids__
  FROM rows__3
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."start_time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.start_time,
  r.end_time,
  CAST(CAST(r.start_time AS DATE) - NULL AS INTEGER) AS start_day,
  CAST(CAST(r.end_time AS DATE) - NULL AS INTEGER) AS end_day,
  r."fevers__new" AS "fevers",
  r."peak_temperature__new" AS "peak_temperature",
  r."lowest_neutrophils__new" AS "lowest_neutrophils",
  r."covered",
  r."antibiotic",
  r."antibiotic_time",
  r."hours_to_antibiotic",
  r."within_hour",
  r."antipseudomonal",
  r."recovery_neutrophils",
  r."recovery_time",
  r."hours_to_recovery",
  r.ids__ AS evidence
FROM rows__evidence AS r
ORDER BY patient_id, number
