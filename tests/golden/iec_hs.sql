WITH "rows__base" AS (
  -- Criteria of IEC-HS at each ferritin after the infusion
  SELECT r.patient_id,
    r.number AS key__,
    r."time",
    r."analyte",
    r."value",
    r."beyond",
    r.evidence AS evidence__,
    index."time" AS index__time
  FROM "iec_hs_value" AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE (analyte = 'ferritin') AND ("time" >= index__time)
),
"rows__1" AS (
  SELECT *, "value" AS "ferritin"
  FROM rows__where
),
"seen__ferritin_baseline" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."value" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."value" IS NOT NULL AND ((s.analyte = 'ferritin')) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__ferritin_baseline" AS (
  -- ferritin_baseline: last iec_hs_value.value in [index.time - $baseline, index.time)
  SELECT *, CAST((index__time - to_hours(168)) AS TIMESTAMP) AS from__, CAST(index__time AS TIMESTAMP) AS to__
  FROM rows__1
),
"rows__ferritin_baseline" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "ferritin_baseline",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "ferritin_baseline__id"
  FROM around__ferritin_baseline AS b
  ASOF LEFT JOIN seen__ferritin_baseline AS s ON s.patient_id = b.patient_id AND b.to__ > s.at__
),
"seen__alt_met" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'alt'))
),
"around__alt_met" AS (
  -- alt_met: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__ferritin_baseline
),
"found__alt_met" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__alt_met AS b
  JOIN seen__alt_met AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__alt_met" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "alt_met", s.id__ AS "alt_met__id"
  FROM around__alt_met AS b
  LEFT JOIN found__alt_met AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__alt_met AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__ast_met" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'ast'))
),
"around__ast_met" AS (
  -- ast_met: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__alt_met
),
"found__ast_met" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__ast_met AS b
  JOIN seen__ast_met AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__ast_met" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "ast_met", s.id__ AS "ast_met__id"
  FROM around__ast_met AS b
  LEFT JOIN found__ast_met AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__ast_met AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__fibrinogen_met" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'fibrinogen'))
),
"around__fibrinogen_met" AS (
  -- fibrinogen_met: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__ast_met
),
"found__fibrinogen_met" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__fibrinogen_met AS b
  JOIN seen__fibrinogen_met AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__fibrinogen_met" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "fibrinogen_met", s.id__ AS "fibrinogen_met__id"
  FROM around__fibrinogen_met AS b
  LEFT JOIN found__fibrinogen_met AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__fibrinogen_met AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__hemophagocytosis" AS (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."text" AS value__
  FROM observation AS s
  WHERE s.concept IN ('hemophagocytosis') AND s."text" IS NOT NULL AND ((s."text" IN ('present', 'absent'))) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY id__) = 1
),
"around__hemophagocytosis" AS (
  -- hemophagocytosis: last hemophagocytosis.text in (-inf, time + $near]
  SELECT *,
    CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__fibrinogen_met
),
"rows__hemophagocytosis" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ < s.at__ THEN s.value__ END AS "hemophagocytosis",
    CASE WHEN b.from__ < s.at__ THEN s.id__ END AS "hemophagocytosis__id"
  FROM around__hemophagocytosis AS b
  ASOF LEFT JOIN seen__hemophagocytosis AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__neutrophil_grade" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "cytopenia" AS s
  WHERE s."grade" IS NOT NULL AND ((s.analyte = 'neutrophils'))
),
"around__neutrophil_grade" AS (
  -- neutrophil_grade: max cytopenia.grade in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__hemophagocytosis
),
"found__neutrophil_grade" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__neutrophil_grade AS b
  JOIN seen__neutrophil_grade AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__neutrophil_grade" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "neutrophil_grade", s.id__ AS "neutrophil_grade__id"
  FROM around__neutrophil_grade AS b
  LEFT JOIN found__neutrophil_grade AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__neutrophil_grade AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__platelet_grade" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "cytopenia" AS s
  WHERE s."grade" IS NOT NULL AND ((s.analyte = 'platelets'))
),
"around__platelet_grade" AS (
  -- platelet_grade: max cytopenia.grade in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__neutrophil_grade
),
"found__platelet_grade" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__platelet_grade AS b
  JOIN seen__platelet_grade AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__platelet_grade" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "platelet_grade", s.id__ AS "platelet_grade__id"
  FROM around__platelet_grade AS b
  LEFT JOIN found__platelet_grade AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__platelet_grade AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__ldh_high" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'ldh'))
),
"around__ldh_high" AS (
  -- ldh_high: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__platelet_grade
),
"found__ldh_high" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__ldh_high AS b
  JOIN seen__ldh_high AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__ldh_high" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "ldh_high", s.id__ AS "ldh_high__id"
  FROM around__ldh_high AS b
  LEFT JOIN found__ldh_high AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__ldh_high AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__triglycerides_high" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'triglycerides'))
),
"around__triglycerides_high" AS (
  -- triglycerides_high: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__ldh_high
),
"found__triglycerides_high" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__triglycerides_high AS b
  JOIN seen__triglycerides_high AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__triglycerides_high" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "triglycerides_high", s.id__ AS "triglycerides_high__id"
  FROM around__triglycerides_high AS b
  LEFT JOIN found__triglycerides_high AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__triglycerides_high AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__bilirubin_high" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."beyond" AS value__
  FROM "iec_hs_value" AS s
  WHERE s."beyond" IS NOT NULL AND ((s.analyte = 'bilirubin_direct'))
),
"around__bilirubin_high" AS (
  -- bilirubin_high: max iec_hs_value.beyond in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__triglycerides_high
),
"found__bilirubin_high" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__bilirubin_high AS b
  JOIN seen__bilirubin_high AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__bilirubin_high" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "bilirubin_high", s.id__ AS "bilirubin_high__id"
  FROM around__bilirubin_high AS b
  LEFT JOIN found__bilirubin_high AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__bilirubin_high AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__spleen" AS (
  SELECT s.patient_id, s.event_id AS id__, s."time" AS at__, s."text" AS value__
  FROM observation AS s
  WHERE s.concept IN ('splenomegaly') AND s."text" IS NOT NULL AND ((s."text" IN ('present', 'absent'))) AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY id__) = 1
),
"around__spleen" AS (
  -- spleen: last splenomegaly.text in (-inf, time + $near]
  SELECT *,
    CAST(TIMESTAMP '-infinity' AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__bilirubin_high
),
"rows__spleen" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ < s.at__ THEN s.value__ END AS "spleen",
    CASE WHEN b.from__ < s.at__ THEN s.id__ END AS "spleen__id"
  FROM around__spleen AS b
  ASOF LEFT JOIN seen__spleen AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"seen__febrile" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."fever" AS value__
  FROM "temperature_reading" AS s
  WHERE s."fever" IS NOT NULL
),
"around__febrile" AS (
  -- febrile: max temperature_reading.fever in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__spleen
),
"found__febrile" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__febrile AS b
  JOIN seen__febrile AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__febrile" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "febrile", s.id__ AS "febrile__id"
  FROM around__febrile AS b
  LEFT JOIN found__febrile AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__febrile AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__icans" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "icans_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__icans" AS (
  -- icans: max icans_grade.grade in [time - $near, time + $near]
  SELECT *,
    CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__,
    CAST(("time" + to_hours(24)) AS TIMESTAMP) AS to__
  FROM rows__febrile
),
"found__icans" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__icans AS b
  JOIN seen__icans AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__icans" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "icans", s.id__ AS "icans__id"
  FROM around__icans AS b
  LEFT JOIN found__icans AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__icans AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__crs_peak" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL
),
"around__crs_peak" AS (
  -- crs_peak: max crs_grade.grade in [index.time, time]
  SELECT *, CAST(index__time AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__icans
),
"found__crs_peak" AS (
  SELECT b.patient_id, b.key__, s.number__ AS row__
  FROM around__crs_peak AS b
  JOIN seen__crs_peak AS s ON s.patient_id = b.patient_id AND s.at__ >= b.from__ AND s.at__ <= b.to__
  QUALIFY row_number() OVER (PARTITION BY b.patient_id, b.key__ ORDER BY s.value__ DESC, s.at__ NULLS FIRST, s.number__) = 1
),
"rows__crs_peak" AS (
  SELECT b.* EXCLUDE (from__, to__), s.value__ AS "crs_peak", s.id__ AS "crs_peak__id"
  FROM around__crs_peak AS b
  LEFT JOIN found__crs_peak AS f ON f.patient_id = b.patient_id AND f.key__ = b.key__
  LEFT JOIN seen__crs_peak AS s ON s.patient_id = b.patient_id AND s.number__ = f.row__
),
"seen__crs_now" AS (
  SELECT s.patient_id, s.evidence AS id__, s."time" AS at__, s.number AS number__, s."grade" AS value__
  FROM "crs_grade" AS s
  WHERE s."grade" IS NOT NULL AND s."time" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY s.patient_id, at__ ORDER BY number__) = 1
),
"around__crs_now" AS (
  -- crs_now: last crs_grade.grade in [time - $near, time]
  SELECT *, CAST(("time" - to_hours(24)) AS TIMESTAMP) AS from__, CAST("time" AS TIMESTAMP) AS to__
  FROM rows__crs_peak
),
"rows__crs_now" AS (
  SELECT b.* EXCLUDE (from__, to__),
    CASE WHEN b.from__ <= s.at__ THEN s.value__ END AS "crs_now",
    CASE WHEN b.from__ <= s.at__ THEN s.id__ END AS "crs_now__id"
  FROM around__crs_now AS b
  ASOF LEFT JOIN seen__crs_now AS s ON s.patient_id = b.patient_id AND b.to__ >= s.at__
),
"rows__2" AS (
  SELECT *,
    (beyond OR (ferritin > (2 * ferritin_baseline))) AS "ferritin_met",
    (alt_met OR ast_met) AS "transaminases_met",
    (hemophagocytosis = 'present') AS "hemophagocytosis_met",
    ((neutrophil_grade >= 4) OR (platelet_grade >= 4)) AS "cytopenia_met",
    (icans >= 1) AS "neurotoxicity",
    (crs_now < crs_peak) AS "crs_falling"
  FROM rows__crs_now
),
"rows__3" AS (
  SELECT *,
    (((CASE  WHEN (transaminases_met) THEN (1) ELSE 0 END + CASE  WHEN (fibrinogen_met) THEN (1) ELSE 0 END) + CASE  WHEN (hemophagocytosis_met) THEN (1) ELSE 0 END) + CASE  WHEN (cytopenia_met) THEN (1) ELSE 0 END) AS "met",
    (((CASE  WHEN ((transaminases_met IS NULL)) THEN (1) ELSE 0 END + CASE  WHEN ((fibrinogen_met IS NULL)) THEN (1) ELSE 0 END) + CASE  WHEN ((hemophagocytosis_met IS NULL)) THEN (1) ELSE 0 END) + CASE  WHEN ((cytopenia_met IS NULL)) THEN (1) ELSE 0 END) AS "open",
    "nullif"(concat_ws(', ', CASE  WHEN ((ferritin_met IS NULL)) THEN ('ferritin') ELSE NULL END, CASE  WHEN ((transaminases_met IS NULL)) THEN ('transaminases') ELSE NULL END, CASE  WHEN ((fibrinogen_met IS NULL)) THEN ('fibrinogen') ELSE NULL END, CASE  WHEN ((hemophagocytosis_met IS NULL)) THEN ('hemophagocytosis') ELSE NULL END, CASE  WHEN ((cytopenia_met IS NULL)) THEN ('cytopenia') ELSE NULL END), '') AS "unknown"
  FROM rows__2
),
"rows__4" AS (
  SELECT *,
    CASE  WHEN ((ferritin_met AND (met >= 1))) THEN ('review') WHEN (((NOT ferritin_met) OR ((met + open) < 1))) THEN ('not met') ELSE 'unknown' END AS "flag"
  FROM rows__3
),
"rows__evidence" AS (
  SELECT *,
    list_sort(list_distinct(flatten([evidence__, "ferritin_baseline__id", "alt_met__id", "ast_met__id", "fibrinogen_met__id", ["hemophagocytosis__id"], "neutrophil_grade__id", "platelet_grade__id", "ldh_high__id", "triglycerides_high__id", "bilirubin_high__id", ["spleen__id"], "febrile__id", "icans__id", "crs_peak__id", "crs_now__id"]))) AS ids__
  FROM rows__4
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."ferritin",
  r."ferritin_baseline",
  r."ferritin_met",
  r."alt_met",
  r."ast_met",
  r."transaminases_met",
  r."fibrinogen_met",
  r."hemophagocytosis",
  r."hemophagocytosis_met",
  r."neutrophil_grade",
  r."platelet_grade",
  r."cytopenia_met",
  r."ldh_high",
  r."triglycerides_high",
  r."bilirubin_high",
  r."spleen",
  r."febrile",
  r."icans",
  r."neurotoxicity",
  r."crs_peak",
  r."crs_now",
  r."crs_falling",
  r."met",
  r."open",
  r."unknown",
  r."flag",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
