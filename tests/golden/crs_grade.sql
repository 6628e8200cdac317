WITH "seen__documented" AS (
  -- documented: case when bound is null and value between 0 and 5 then value end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CASE WHEN (CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END) = floor(CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END) THEN TRY_CAST(CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END AS INTEGER) END AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('documented_crs_grade')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__fever" AS (
  -- fever: case when fever then 1 else 0 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (fever) THEN (1) ELSE 0 END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r."fever", r.evidence AS evidence__, index."time" AS index__time FROM "temperature_reading" AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__systolic" AS (
  -- systolic: case when below(value, bound, $systolic) then 2 when value is not null then 0 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 90.0)) ELSE ("value" < 90.0) END) THEN (2) WHEN (("value" IS NOT NULL)) THEN (0) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(6) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('systolic_bp')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__mean_pressure" AS (
  -- mean_pressure: case when below(value, bound, $mean) then 2 when value is not null then 0 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 65.0)) ELSE ("value" < 65.0) END) THEN (2) WHEN (("value" IS NOT NULL)) THEN (0) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(6) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('mean_arterial_pressure')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__norepinephrine" AS (
  -- norepinephrine: case when value is null or above(value, bound, 0) then 1 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)) THEN (1) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(6) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('norepinephrine')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__epinephrine" AS (
  -- epinephrine: case when value is null or above(value, bound, 0) then 1 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)) THEN (1) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(6) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('epinephrine')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__phenylephrine" AS (
  -- phenylephrine: case when value is null or above(value, bound, 0) then 1 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)) THEN (1) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(6) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('phenylephrine')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__dopamine" AS (
  -- dopamine: case when value is null or above(value, bound, 0) then 1 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)) THEN (1) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(6) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('dopamine')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__vasopressin" AS (
  -- vasopressin: case when value is null or above(value, bound, 0) then 1 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" IS NULL) OR CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 0)) ELSE ("value" > 0) END)) THEN (1) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(6) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('vasopressin')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__oxygen" AS (
  -- oxygen: case when text in ('nasal_cannula', 'high_flow_cannula') and above(value, bound, $low_flow) then 3      when text in ('nasal_cannula', 'high_flow_cannula') and value is not null then 2      when text = 'none' then 0      when text in ('nasal_cannula', 'blow_by') then 2      when text in ('high_flow_cannula', 'face_mask', 'nonrebreather', 'venturi') then 3      when text in ('cpap', 'bipap', 'ventilator') then 4 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("text" IN ('nasal_cannula', 'high_flow_cannula')) AND CASE  WHEN ((bound IN ('>', '>='))) THEN (("value" >= 6)) ELSE ("value" > 6) END)) THEN (3) WHEN ((("text" IN ('nasal_cannula', 'high_flow_cannula')) AND ("value" IS NOT NULL))) THEN (2) WHEN (("text" = 'none')) THEN (0) WHEN (("text" IN ('nasal_cannula', 'blow_by'))) THEN (2) WHEN (("text" IN ('high_flow_cannula', 'face_mask', 'nonrebreather', 'venturi'))) THEN (3) WHEN (("text" IN ('cpap', 'bipap', 'ventilator'))) THEN (4) ELSE NULL END AS INTEGER) AS level__, CASE WHEN end_time >= "time" THEN end_time ELSE "time" + to_hours(12) END AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."end_time", r."value", r."bound", r."text", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('oxygen_device')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
),
"seen__earlier_fever" AS (
  -- earlier_fever: 1
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(1 AS INTEGER) AS level__, TIMESTAMP 'infinity' AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__ FROM "fever_after_infusion" AS r) WHERE "time" IS NOT NULL)
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__tocilizumab" AS (
  -- tocilizumab: 1
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(1 AS INTEGER) AS level__, "time" + to_hours(48) AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__ FROM "tocilizumab_dose" AS r) WHERE "time" IS NOT NULL)
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__siltuximab" AS (
  -- siltuximab: 1
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(1 AS INTEGER) AS level__, "time" + to_hours(48) AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__ FROM "siltuximab_dose" AS r) WHERE "time" IS NOT NULL)
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__anakinra" AS (
  -- anakinra: 1
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(1 AS INTEGER) AS level__, "time" + to_hours(48) AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__ FROM "anakinra_dose" AS r) WHERE "time" IS NOT NULL)
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__steroid" AS (
  -- steroid: 1
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(1 AS INTEGER) AS level__, "time" + to_hours(48) AS until__, evidence__ AS id__ FROM (SELECT r.patient_id, r.number AS key__, r."time", r.evidence AS evidence__ FROM "steroid_dose" AS r) WHERE "time" IS NOT NULL)
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"rows__instants" AS (
  -- every time at which a finding is observed
  SELECT DISTINCT patient_id, at__
  FROM (SELECT patient_id, at__ FROM seen__documented UNION ALL SELECT patient_id, at__ FROM seen__fever UNION ALL SELECT patient_id, at__ FROM seen__systolic UNION ALL SELECT patient_id, at__ FROM seen__mean_pressure UNION ALL SELECT patient_id, at__ FROM seen__norepinephrine UNION ALL SELECT patient_id, at__ FROM seen__epinephrine UNION ALL SELECT patient_id, at__ FROM seen__phenylephrine UNION ALL SELECT patient_id, at__ FROM seen__dopamine UNION ALL SELECT patient_id, at__ FROM seen__vasopressin UNION ALL SELECT patient_id, at__ FROM seen__oxygen)
),
"held__norepinephrine" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__norepinephrine AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"held__epinephrine" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__epinephrine AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"held__phenylephrine" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__phenylephrine AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"held__dopamine" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__dopamine AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"held__vasopressin" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__vasopressin AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"held__oxygen" AS (
  -- the latest begun of the intervals that cover the instant
  SELECT i.patient_id AS patient_id,
    i.at__ AS instant__,
    s.at__ AS at__,
    s.level__ AS level__,
    s.until__ AS until__,
    s.id__ AS id__
  FROM rows__instants AS i
  JOIN seen__oxygen AS s ON s.patient_id = i.patient_id AND s.at__ <= i.at__ AND s.until__ >= i.at__
  QUALIFY row_number() OVER (PARTITION BY i.patient_id, i.at__ ORDER BY s.at__ DESC, s.level__ DESC, s.id__) = 1
),
"rows__timeline" AS (
  -- observations and instants under one another
  SELECT patient_id, at__, 0 AS of__
  FROM seen__documented
  UNION ALL SELECT patient_id, at__, 1 AS of__
  FROM seen__fever
  UNION ALL SELECT patient_id, at__, 2 AS of__
  FROM seen__systolic
  UNION ALL SELECT patient_id, at__, 3 AS of__
  FROM seen__mean_pressure
  UNION ALL SELECT patient_id, at__, 4 AS of__
  FROM seen__earlier_fever
  UNION ALL SELECT patient_id, at__, 5 AS of__
  FROM seen__tocilizumab
  UNION ALL SELECT patient_id, at__, 6 AS of__
  FROM seen__siltuximab
  UNION ALL SELECT patient_id, at__, 7 AS of__
  FROM seen__anakinra
  UNION ALL SELECT patient_id, at__, 8 AS of__
  FROM seen__steroid
  UNION ALL SELECT patient_id, at__, 9 AS of__
  FROM rows__instants
),
"rows__carried" AS (
  -- the time of the latest observation so far
  SELECT *
  FROM (SELECT patient_id, at__, of__, last_value(CASE WHEN of__ = 0 THEN at__ END IGNORE NULLS) OVER so_far AS "documented", last_value(CASE WHEN of__ = 1 THEN at__ END IGNORE NULLS) OVER so_far AS "fever", last_value(CASE WHEN of__ = 2 THEN at__ END IGNORE NULLS) OVER so_far AS "systolic", last_value(CASE WHEN of__ = 3 THEN at__ END IGNORE NULLS) OVER so_far AS "mean_pressure", last_value(CASE WHEN of__ = 4 THEN at__ END IGNORE NULLS) OVER so_far AS "earlier_fever", last_value(CASE WHEN of__ = 5 THEN at__ END IGNORE NULLS) OVER so_far AS "tocilizumab", last_value(CASE WHEN of__ = 6 THEN at__ END IGNORE NULLS) OVER so_far AS "siltuximab", last_value(CASE WHEN of__ = 7 THEN at__ END IGNORE NULLS) OVER so_far AS "anakinra", last_value(CASE WHEN of__ = 8 THEN at__ END IGNORE NULLS) OVER so_far AS "steroid" FROM rows__timeline WINDOW so_far AS (PARTITION BY patient_id ORDER BY at__, of__ ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
  WHERE of__ = 9
),
"rows__states" AS (
  SELECT c.patient_id,
    c.at__ AS "time",
    documented__seen.level__ AS "documented",
    documented__seen.at__ AS documented__time,
    fever__seen.level__ AS "fever",
    fever__seen.at__ AS fever__time,
    systolic__seen.level__ AS "systolic",
    systolic__seen.at__ AS systolic__time,
    mean_pressure__seen.level__ AS "mean_pressure",
    mean_pressure__seen.at__ AS mean_pressure__time,
    norepinephrine__seen.level__ AS "norepinephrine",
    norepinephrine__seen.at__ AS norepinephrine__time,
    epinephrine__seen.level__ AS "epinephrine",
    epinephrine__seen.at__ AS epinephrine__time,
    phenylephrine__seen.level__ AS "phenylephrine",
    phenylephrine__seen.at__ AS phenylephrine__time,
    dopamine__seen.level__ AS "dopamine",
    dopamine__seen.at__ AS dopamine__time,
    vasopressin__seen.level__ AS "vasopressin",
    vasopressin__seen.at__ AS vasopressin__time,
    oxygen__seen.level__ AS "oxygen",
    oxygen__seen.at__ AS oxygen__time,
    earlier_fever__seen.level__ AS "earlier_fever",
    earlier_fever__seen.at__ AS earlier_fever__time,
    tocilizumab__seen.level__ AS "tocilizumab",
    tocilizumab__seen.at__ AS tocilizumab__time,
    siltuximab__seen.level__ AS "siltuximab",
    siltuximab__seen.at__ AS siltuximab__time,
    anakinra__seen.level__ AS "anakinra",
    anakinra__seen.at__ AS anakinra__time,
    steroid__seen.level__ AS "steroid",
    steroid__seen.at__ AS steroid__time,
    list_sort(list_distinct(flatten([[documented__seen.id__, systolic__seen.id__, mean_pressure__seen.id__, norepinephrine__seen.id__, epinephrine__seen.id__, phenylephrine__seen.id__, dopamine__seen.id__, vasopressin__seen.id__, oxygen__seen.id__], fever__seen.id__, earlier_fever__seen.id__, tocilizumab__seen.id__, siltuximab__seen.id__, anakinra__seen.id__, steroid__seen.id__]))) AS evidence__
  FROM rows__carried AS c
  LEFT JOIN seen__documented AS documented__seen ON documented__seen.patient_id = c.patient_id AND documented__seen.at__ = c."documented" AND c.at__ <= documented__seen.until__
  LEFT JOIN seen__fever AS fever__seen ON fever__seen.patient_id = c.patient_id AND fever__seen.at__ = c."fever" AND c.at__ <= fever__seen.until__
  LEFT JOIN seen__systolic AS systolic__seen ON systolic__seen.patient_id = c.patient_id AND systolic__seen.at__ = c."systolic" AND c.at__ <= systolic__seen.until__
  LEFT JOIN seen__mean_pressure AS mean_pressure__seen ON mean_pressure__seen.patient_id = c.patient_id AND mean_pressure__seen.at__ = c."mean_pressure" AND c.at__ <= mean_pressure__seen.until__
  LEFT JOIN held__norepinephrine AS norepinephrine__seen ON norepinephrine__seen.patient_id = c.patient_id AND norepinephrine__seen.instant__ = c.at__
  LEFT JOIN held__epinephrine AS epinephrine__seen ON epinephrine__seen.patient_id = c.patient_id AND epinephrine__seen.instant__ = c.at__
  LEFT JOIN held__phenylephrine AS phenylephrine__seen ON phenylephrine__seen.patient_id = c.patient_id AND phenylephrine__seen.instant__ = c.at__
  LEFT JOIN held__dopamine AS dopamine__seen ON dopamine__seen.patient_id = c.patient_id AND dopamine__seen.instant__ = c.at__
  LEFT JOIN held__vasopressin AS vasopressin__seen ON vasopressin__seen.patient_id = c.patient_id AND vasopressin__seen.instant__ = c.at__
  LEFT JOIN held__oxygen AS oxygen__seen ON oxygen__seen.patient_id = c.patient_id AND oxygen__seen.instant__ = c.at__
  LEFT JOIN seen__earlier_fever AS earlier_fever__seen ON earlier_fever__seen.patient_id = c.patient_id AND earlier_fever__seen.at__ = c."earlier_fever" AND c.at__ <= earlier_fever__seen.until__
  LEFT JOIN seen__tocilizumab AS tocilizumab__seen ON tocilizumab__seen.patient_id = c.patient_id AND tocilizumab__seen.at__ = c."tocilizumab" AND c.at__ <= tocilizumab__seen.until__
  LEFT JOIN seen__siltuximab AS siltuximab__seen ON siltuximab__seen.patient_id = c.patient_id AND siltuximab__seen.at__ = c."siltuximab" AND c.at__ <= siltuximab__seen.until__
  LEFT JOIN seen__anakinra AS anakinra__seen ON anakinra__seen.patient_id = c.patient_id AND anakinra__seen.at__ = c."anakinra" AND c.at__ <= anakinra__seen.until__
  LEFT JOIN seen__steroid AS steroid__seen ON steroid__seen.patient_id = c.patient_id AND steroid__seen.at__ = c."steroid" AND c.at__ <= steroid__seen.until__
),
"rows__1" AS (
  SELECT *,
    ((earlier_fever IS NOT NULL) AND (greatest(tocilizumab, siltuximab, anakinra, steroid) IS NOT NULL)) AS "waived",
    CASE  WHEN ((documented >= 1)) THEN (true) WHEN ((fever__time <= documented__time)) THEN (NULL) ELSE (fever = 1) END AS "febrile",
    (((CASE  WHEN ((norepinephrine__time <= documented__time)) THEN (0) ELSE COALESCE(norepinephrine, 0) END + CASE  WHEN ((epinephrine__time <= documented__time)) THEN (0) ELSE COALESCE(epinephrine, 0) END) + CASE  WHEN ((phenylephrine__time <= documented__time)) THEN (0) ELSE COALESCE(phenylephrine, 0) END) + CASE  WHEN ((dopamine__time <= documented__time)) THEN (0) ELSE COALESCE(dopamine, 0) END) AS "pressors",
    CASE  WHEN ((oxygen__time <= documented__time)) THEN (NULL) ELSE oxygen END AS "hypoxia"
  FROM rows__states
),
"rows__2" AS (
  SELECT *,
    greatest(CASE  WHEN ((systolic__time <= documented__time)) THEN (NULL) ELSE systolic END, CASE  WHEN ((mean_pressure__time <= documented__time)) THEN (NULL) ELSE mean_pressure END, CASE  WHEN ((pressors >= 2)) THEN (4) WHEN ((pressors >= 1)) THEN (3) WHEN ((vasopressin__time <= documented__time)) THEN (NULL) WHEN ((vasopressin = 1)) THEN (3) ELSE NULL END) AS "hypotension"
  FROM rows__1
),
"rows__grade" AS (
  SELECT *,
    CAST(greatest(documented, CASE  WHEN (febrile) THEN (greatest(1, hypotension, hypoxia)) WHEN (waived) THEN (greatest(0, hypotension, hypoxia)) WHEN ((NOT febrile)) THEN (0) ELSE NULL END) AS INTEGER) AS "grade"
  FROM rows__2
),
"rows__known" AS (
  SELECT *
  FROM rows__grade
  WHERE grade IS NOT NULL
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__known
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST) AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."waived",
  r."febrile",
  r."pressors",
  r."hypotension",
  r."hypoxia",
  r."grade",
  r."documented",
  r."fever",
  r."systolic",
  r."mean_pressure",
  r."norepinephrine",
  r."epinephrine",
  r."phenylephrine",
  r."dopamine",
  r."vasopressin",
  r."oxygen",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
