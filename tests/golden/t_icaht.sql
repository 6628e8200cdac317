WITH "rows__base" AS (
  -- T-ICAHT grade by platelets, early and late
  SELECT r.patient_id, r.number AS key__, r."time", r."early_end", r."late_end", r.evidence AS evidence__
  FROM "t_icaht_period" AS r
),
"rows__1" AS (
  SELECT *,
    round((((epoch_us(early_end) - epoch_us("time")) / 3600000000.0) / "nullif"(24, 0)), 6) AS "early_days",
    round((((epoch_us(late_end) - epoch_us(early_end)) / 3600000000.0) / "nullif"(24, 0)), 6) AS "late_days"
  FROM rows__base
),
"seen__early_known" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."days" IS NOT NULL
),
"found__early_known" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__1 AS b
  JOIN seen__early_known AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__early_known" AS (
  SELECT b.*, f.value__ AS "early_known", f.ids__ AS "early_known__id"
  FROM rows__1 AS b
  LEFT JOIN found__early_known AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__early_sum_50" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."days" IS NOT NULL AND (s.low_50)
),
"found__early_sum_50" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__early_known AS b
  JOIN seen__early_sum_50 AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__early_sum_50" AS (
  SELECT b.*, f.value__ AS "early_sum_50", f.ids__ AS "early_sum_50__id"
  FROM rows__early_known AS b
  LEFT JOIN found__early_sum_50 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__early_sum_20" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."days" IS NOT NULL AND (s.low_20)
),
"found__early_sum_20" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__early_sum_50 AS b
  JOIN seen__early_sum_20 AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__early_sum_20" AS (
  SELECT b.*, f.value__ AS "early_sum_20", f.ids__ AS "early_sum_20__id"
  FROM rows__early_sum_50 AS b
  LEFT JOIN found__early_sum_20 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_known" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."late_days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."late_days" IS NOT NULL
),
"found__late_known" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__early_sum_20 AS b
  JOIN seen__late_known AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__late_known" AS (
  SELECT b.*, f.value__ AS "late_known", f.ids__ AS "late_known__id"
  FROM rows__early_sum_20 AS b
  LEFT JOIN found__late_known AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_sum_100" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."late_days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."late_days" IS NOT NULL AND (s.low_100)
),
"found__late_sum_100" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__late_known AS b
  JOIN seen__late_sum_100 AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__late_sum_100" AS (
  SELECT b.*, f.value__ AS "late_sum_100", f.ids__ AS "late_sum_100__id"
  FROM rows__late_known AS b
  LEFT JOIN found__late_sum_100 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_sum_50" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."late_days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."late_days" IS NOT NULL AND (s.low_50)
),
"found__late_sum_50" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__late_sum_100 AS b
  JOIN seen__late_sum_50 AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__late_sum_50" AS (
  SELECT b.*, f.value__ AS "late_sum_50", f.ids__ AS "late_sum_50__id"
  FROM rows__late_sum_100 AS b
  LEFT JOIN found__late_sum_50 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_sum_20" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."late_days" AS value__
  FROM "t_icaht_stretch" AS s
  WHERE s."late_days" IS NOT NULL AND (s.low_20)
),
"found__late_sum_20" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__late_sum_50 AS b
  JOIN seen__late_sum_20 AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__late_sum_20" AS (
  SELECT b.*, f.value__ AS "late_sum_20", f.ids__ AS "late_sum_20__id"
  FROM rows__late_sum_50 AS b
  LEFT JOIN found__late_sum_20 AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__2" AS (
  SELECT *,
    round((early_days - COALESCE(early_known, 0)), 6) AS "early_unknown",
    round(COALESCE(early_sum_50, 0), 6) AS "early_50",
    round(COALESCE(early_sum_20, 0), 6) AS "early_20",
    round((late_days - COALESCE(late_known, 0)), 6) AS "late_unknown",
    round(COALESCE(late_sum_100, 0), 6) AS "late_100",
    round(COALESCE(late_sum_50, 0), 6) AS "late_50",
    round(COALESCE(late_sum_20, 0), 6) AS "late_20"
  FROM rows__late_sum_20
),
"rows__3" AS (
  SELECT *,
    CASE  WHEN ((early_20 >= 14)) THEN (4) WHEN ((early_20 > 0)) THEN (3) WHEN ((early_50 >= 7)) THEN (2) WHEN ((early_50 > 0)) THEN (1) ELSE 0 END AS "early_at_least",
    CASE  WHEN (((early_20 + early_unknown) >= 14)) THEN (4) WHEN (((early_20 + early_unknown) > 0)) THEN (3) WHEN ((early_50 >= 7)) THEN (2) WHEN ((early_50 > 0)) THEN (1) ELSE 0 END AS "early_at_most",
    CASE  WHEN ((late_20 >= 14)) THEN (4) WHEN ((late_20 > 0)) THEN (3) WHEN ((late_50 > 0)) THEN (2) WHEN ((late_100 > 0)) THEN (1) ELSE 0 END AS "late_at_least",
    CASE  WHEN (((late_20 + late_unknown) >= 14)) THEN (4) WHEN (((late_20 + late_unknown) > 0)) THEN (3) WHEN ((late_50 > 0)) THEN (2) WHEN ((late_100 > 0)) THEN (1) ELSE 0 END AS "late_at_most"
  FROM rows__2
),
"rows__4" AS (
  SELECT *,
    CASE  WHEN (((early_at_least = early_at_most) AND (early_days > 0))) THEN (early_at_least) ELSE NULL END AS "early_grade",
    CASE  WHEN (((late_at_least = late_at_most) AND (late_days > 0))) THEN (late_at_least) ELSE NULL END AS "late_grade"
  FROM rows__3
),
"rows__5" AS (
  SELECT *,
    CASE  WHEN ((early_grade IS NULL)) THEN ('indeterminate') ELSE 'graded' END AS "early_status",
    CASE  WHEN ((late_grade IS NULL)) THEN ('indeterminate') ELSE 'graded' END AS "late_status"
  FROM rows__4
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "early_known__id", "early_sum_50__id", "early_sum_20__id", "late_known__id", "late_sum_100__id", "late_sum_50__id", "late_sum_20__id"]))) AS ids__
  FROM rows__5
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."early_known",
  r."early_sum_50",
  r."early_sum_20",
  r."late_known",
  r."late_sum_100",
  r."late_sum_50",
  r."late_sum_20",
  r."early_days",
  r."early_unknown",
  r."early_50",
  r."early_20",
  r."early_at_least",
  r."early_at_most",
  r."early_grade",
  r."early_status",
  r."late_days",
  r."late_unknown",
  r."late_100",
  r."late_50",
  r."late_20",
  r."late_at_least",
  r."late_at_most",
  r."late_grade",
  r."late_status",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
