WITH "rows__base" AS (
  -- ICAHT grade by neutrophils, early and late
  SELECT r.patient_id, r.number AS key__, r."time", r."early_end", r."ends", r.evidence AS evidence__
  FROM "icaht_period" AS r
),
"rows__1" AS (
  SELECT *, round((((epoch_us(ends) - epoch_us("time")) / 3600000000.0) / "nullif"(24, 0)), 6) AS "early_days"
  FROM rows__base
),
"seen__known" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "icaht_stretch" AS s
  WHERE s."days" IS NOT NULL
),
"found__known" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__1 AS b
  JOIN seen__known AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__known" AS (
  SELECT b.*, f.value__ AS "known", f.ids__ AS "known__id"
  FROM rows__1 AS b
  LEFT JOIN found__known AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__low" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "icaht_stretch" AS s
  WHERE s."days" IS NOT NULL AND (s.low)
),
"found__low" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__known AS b
  JOIN seen__low AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__low" AS (
  SELECT b.*, f.value__ AS "low", f.ids__ AS "low__id"
  FROM rows__known AS b
  LEFT JOIN found__low AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__very_low" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."days" AS value__
  FROM "icaht_stretch" AS s
  WHERE s."days" IS NOT NULL AND (s.very_low)
),
"found__very_low" AS (
  SELECT b.patient_id,
    b.key__,
    sum(s.value__ ORDER BY s.at__ NULLS FIRST, s.number__) AS value__,
    flatten(list(s.id__)) AS ids__
  FROM rows__low AS b
  JOIN seen__very_low AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__very_low" AS (
  SELECT b.*, f.value__ AS "very_low", f.ids__ AS "very_low__id"
  FROM rows__low AS b
  LEFT JOIN found__very_low AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__above" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_stretch" AS s
  WHERE (((NOT s.low) AND (s."days" > 0)))
),
"found__above" AS (
  SELECT b.patient_id, b.key__, TRUE AS value__, first(s.id__ ORDER BY s.at__ NULLS FIRST, s.number__) AS ids__
  FROM rows__very_low AS b
  JOIN seen__above AS s ON s.patient_id = b.patient_id
  GROUP BY b.patient_id, b.key__
),
"rows__above" AS (
  SELECT b.*, coalesce(f.value__, FALSE) AS "above", f.ids__ AS "above__id"
  FROM rows__very_low AS b
  LEFT JOIN found__above AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_counts" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_count" AS s
),
"around__late_counts" AS (
  -- late_counts: count icaht_count in [early_end, inf)
  SELECT *, CAST(early_end AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__above
),
"found__late_counts" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__late_counts AS b
  JOIN seen__late_counts AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__late_counts" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "late_counts",
    f.ids__ AS "late_counts__id"
  FROM around__late_counts AS b
  LEFT JOIN found__late_counts AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_mild" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_count" AS s
  WHERE (s.mild)
),
"around__late_mild" AS (
  -- late_mild: count icaht_count in [early_end, inf)
  SELECT *, CAST(early_end AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__late_counts
),
"found__late_mild" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__late_mild AS b
  JOIN seen__late_mild AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__late_mild" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "late_mild",
    f.ids__ AS "late_mild__id"
  FROM around__late_mild AS b
  LEFT JOIN found__late_mild AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_moderate" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_count" AS s
  WHERE (s.moderate)
),
"around__late_moderate" AS (
  -- late_moderate: count icaht_count in [early_end, inf)
  SELECT *, CAST(early_end AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__late_mild
),
"found__late_moderate" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__late_moderate AS b
  JOIN seen__late_moderate AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__late_moderate" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "late_moderate",
    f.ids__ AS "late_moderate__id"
  FROM around__late_moderate AS b
  LEFT JOIN found__late_moderate AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_low" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_count" AS s
  WHERE (s.low)
),
"around__late_low" AS (
  -- late_low: count icaht_count in [early_end, inf)
  SELECT *, CAST(early_end AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__late_moderate
),
"found__late_low" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__late_low AS b
  JOIN seen__late_low AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__late_low" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "late_low",
    f.ids__ AS "late_low__id"
  FROM around__late_low AS b
  LEFT JOIN found__late_low AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"seen__late_very_low" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__
  FROM "icaht_count" AS s
  WHERE (s.very_low)
),
"around__late_very_low" AS (
  -- late_very_low: count icaht_count in [early_end, inf)
  SELECT *, CAST(early_end AS TIMESTAMP) AS from__, CAST(TIMESTAMP 'infinity' AS TIMESTAMP) AS to__
  FROM rows__late_low
),
"found__late_very_low" AS (
  SELECT b.patient_id, b.key__, count(*) AS value__, flatten(list(s.id__)) AS ids__
  FROM around__late_very_low AS b
  JOIN seen__late_very_low AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ < b.to__
  GROUP BY b.patient_id, b.key__
),
"rows__late_very_low" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ IS NOT NULL AND b.to__ IS NOT NULL THEN coalesce(f.value__, 0) END AS "late_very_low",
    f.ids__ AS "late_very_low__id"
  FROM around__late_very_low AS b
  LEFT JOIN found__late_very_low AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
),
"rows__2" AS (
  SELECT *,
    round(COALESCE(known, 0), 6) AS "known_days",
    round(COALESCE(low, 0), 6) AS "low_days",
    round(COALESCE(very_low, 0), 6) AS "very_low_days",
    CASE  WHEN ((late_counts < 2)) THEN (NULL) WHEN ((late_very_low >= 2)) THEN (4) WHEN ((late_low >= 2)) THEN (3) WHEN ((late_moderate >= 2)) THEN (2) WHEN ((late_mild >= 2)) THEN (1) ELSE 0 END AS "late_grade"
  FROM rows__late_very_low
),
"rows__3" AS (
  SELECT *, round((early_days - known_days), 6) AS "unknown_days"
  FROM rows__2
),
"rows__4" AS (
  SELECT *,
    CASE  WHEN ((very_low_days >= 14)) THEN (4) WHEN (((NOT above) AND (unknown_days = 0) AND (low_days > 0))) THEN (4) WHEN (((low_days >= 14) OR (very_low_days >= 7))) THEN (3) WHEN ((low_days >= 7)) THEN (2) WHEN ((low_days > 0)) THEN (1) ELSE 0 END AS "early_at_least",
    CASE  WHEN (((very_low_days + unknown_days) >= 14)) THEN (4) WHEN (((NOT above) AND ((low_days + unknown_days) > 0))) THEN (4) WHEN ((((low_days + unknown_days) >= 14) OR ((very_low_days + unknown_days) >= 7))) THEN (3) WHEN (((low_days + unknown_days) >= 7)) THEN (2) WHEN (((low_days + unknown_days) > 0)) THEN (1) ELSE 0 END AS "early_at_most"
  FROM rows__3
),
"rows__5" AS (
  SELECT *,
    CASE  WHEN (((early_at_least = early_at_most) AND (early_days > 0))) THEN (early_at_least) ELSE NULL END AS "early_grade"
  FROM rows__4
),
"rows__6" AS (
  SELECT *, CASE  WHEN ((early_grade IS NULL)) THEN ('indeterminate') ELSE 'graded' END AS "early_status"
  FROM rows__5
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "known__id", "low__id", "very_low__id", "above__id", "late_counts__id", "late_mild__id", "late_moderate__id", "late_low__id", "late_very_low__id"]))) AS ids__
  FROM rows__6
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."early_days",
  r."known",
  r."low",
  r."very_low",
  r."above",
  r."known_days",
  r."unknown_days",
  r."low_days",
  r."very_low_days",
  r."early_at_least",
  r."early_at_most",
  r."early_grade",
  r."early_status",
  r."late_counts",
  r."late_mild",
  r."late_moderate",
  r."late_low",
  r."late_very_low",
  r."late_grade",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
