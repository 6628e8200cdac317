WITH "seen__documented" AS (
  -- documented: case when bound is null and value between 0 and 5 then value end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CASE WHEN (CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END) = floor(CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END) THEN TRY_CAST(CASE  WHEN (((bound IS NULL) AND ("value" BETWEEN 0 AND 5))) THEN ("value") ELSE NULL END AS INTEGER) END AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('documented_icans_grade')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__ice" AS (
  -- ice: case when value < 0 or value > $ice_full or value <> floor(value) then null      when below(value, bound, $ice_moderate) then 3      when below(value, bound, $ice_mild) then 2      when below(value, bound, $ice_full) then 1      when value = $ice_full then 0 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN ((("value" < 0) OR ("value" > 10) OR ("value" != floor("value")))) THEN (NULL) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 3)) ELSE ("value" < 3) END) THEN (3) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 7)) ELSE ("value" < 7) END) THEN (2) WHEN (CASE  WHEN ((bound IN ('<', '<='))) THEN (("value" <= 10)) ELSE ("value" < 10) END) THEN (1) WHEN (("value" = 10)) THEN (0) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."value", r."bound", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('ice_score')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__consciousness" AS (
  -- consciousness: case text when 'alert' then 0 when 'awake' then 1 when 'voice' then 2 when 'tactile' then 3 when 'unarousable' then 4 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (("text" = 'alert')) THEN (0) WHEN (("text" = 'awake')) THEN (1) WHEN (("text" = 'voice')) THEN (2) WHEN (("text" = 'tactile')) THEN (3) WHEN (("text" = 'unarousable')) THEN (4) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."text", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('consciousness')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__seizure" AS (
  -- seizure: case text when 'brief' then 3 when 'prolonged' then 4 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (("text" = 'brief')) THEN (3) WHEN (("text" = 'prolonged')) THEN (4) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."text", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('seizure')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__motor" AS (
  -- motor: case text when 'focal_deep' then 4 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (("text" = 'focal_deep')) THEN (4) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."text", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('motor_weakness')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"seen__edema" AS (
  -- edema: case text when 'focal' then 3 when 'diffuse' then 4 end
  SELECT *
  FROM (SELECT patient_id, "time" AS at__, CAST(CASE  WHEN (("text" = 'focal')) THEN (3) WHEN (("text" = 'diffuse')) THEN (4) ELSE NULL END AS INTEGER) AS level__, "time" + to_hours(24) AS until__, key__ AS id__ FROM (SELECT r.patient_id, r.event_id AS key__, r."time", r."text", index."time" AS index__time FROM observation AS r LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id WHERE r.concept IN ('cerebral_edema')) WHERE "time" IS NOT NULL AND ("time" >= index__time))
  WHERE level__ IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY patient_id, at__ ORDER BY level__ DESC, id__) = 1
),
"rows__instants" AS (
  -- every time at which a finding is observed
  SELECT DISTINCT patient_id, at__
  FROM (SELECT patient_id, at__ FROM seen__documented UNION ALL SELECT patient_id, at__ FROM seen__ice UNION ALL SELECT patient_id, at__ FROM seen__consciousness UNION ALL SELECT patient_id, at__ FROM seen__seizure UNION ALL SELECT patient_id, at__ FROM seen__motor UNION ALL SELECT patient_id, at__ FROM seen__edema)
),
"rows__timeline" AS (
  -- observations and instants under one another
  SELECT patient_id, at__, 0 AS of__
  FROM seen__documented
  UNION ALL SELECT patient_id, at__, 1 AS of__
  FROM seen__ice
  UNION ALL SELECT patient_id, at__, 2 AS of__
  FROM seen__consciousness
  UNION ALL SELECT patient_id, at__, 3 AS of__
  FROM seen__seizure
  UNION ALL SELECT patient_id, at__, 4 AS of__
  FROM seen__motor
  UNION ALL SELECT patient_id, at__, 5 AS of__
  FROM seen__edema
  UNION ALL SELECT patient_id, at__, 6 AS of__
  FROM rows__instants
),
"rows__carried" AS (
  -- the time of the latest observation so far
  SELECT *
  FROM (SELECT patient_id, at__, of__, last_value(CASE WHEN of__ = 0 THEN at__ END IGNORE NULLS) OVER so_far AS "documented", last_value(CASE WHEN of__ = 1 THEN at__ END IGNORE NULLS) OVER so_far AS "ice", last_value(CASE WHEN of__ = 2 THEN at__ END IGNORE NULLS) OVER so_far AS "consciousness", last_value(CASE WHEN of__ = 3 THEN at__ END IGNORE NULLS) OVER so_far AS "seizure", last_value(CASE WHEN of__ = 4 THEN at__ END IGNORE NULLS) OVER so_far AS "motor", last_value(CASE WHEN of__ = 5 THEN at__ END IGNORE NULLS) OVER so_far AS "edema" FROM rows__timeline WINDOW so_far AS (PARTITION BY patient_id ORDER BY at__, of__ ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
  WHERE of__ = 6
),
"rows__states" AS (
  SELECT c.patient_id,
    c.at__ AS "time",
    documented__seen.level__ AS "documented",
    documented__seen.at__ AS documented__time,
    ice__seen.level__ AS "ice",
    ice__seen.at__ AS ice__time,
    consciousness__seen.level__ AS "consciousness",
    consciousness__seen.at__ AS consciousness__time,
    seizure__seen.level__ AS "seizure",
    seizure__seen.at__ AS seizure__time,
    motor__seen.level__ AS "motor",
    motor__seen.at__ AS motor__time,
    edema__seen.level__ AS "edema",
    edema__seen.at__ AS edema__time,
    list_sort(list_distinct([documented__seen.id__, ice__seen.id__, consciousness__seen.id__, seizure__seen.id__, motor__seen.id__, edema__seen.id__])) AS evidence__
  FROM rows__carried AS c
  LEFT JOIN seen__documented AS documented__seen ON documented__seen.patient_id = c.patient_id AND documented__seen.at__ = c."documented" AND c.at__ <= documented__seen.until__
  LEFT JOIN seen__ice AS ice__seen ON ice__seen.patient_id = c.patient_id AND ice__seen.at__ = c."ice" AND c.at__ <= ice__seen.until__
  LEFT JOIN seen__consciousness AS consciousness__seen ON consciousness__seen.patient_id = c.patient_id AND consciousness__seen.at__ = c."consciousness" AND c.at__ <= consciousness__seen.until__
  LEFT JOIN seen__seizure AS seizure__seen ON seizure__seen.patient_id = c.patient_id AND seizure__seen.at__ = c."seizure" AND c.at__ <= seizure__seen.until__
  LEFT JOIN seen__motor AS motor__seen ON motor__seen.patient_id = c.patient_id AND motor__seen.at__ = c."motor" AND c.at__ <= motor__seen.until__
  LEFT JOIN seen__edema AS edema__seen ON edema__seen.patient_id = c.patient_id AND edema__seen.at__ = c."edema" AND c.at__ <= edema__seen.until__
),
"rows__grade" AS (
  SELECT *,
    CAST(CASE  WHEN (((documented IS NULL) OR (ice__time > documented__time))) THEN (greatest(ice, consciousness, seizure, motor, edema)) ELSE greatest(documented, CASE  WHEN ((consciousness__time > documented__time)) THEN (consciousness) ELSE NULL END, CASE  WHEN ((seizure__time > documented__time)) THEN (seizure) ELSE NULL END, CASE  WHEN ((motor__time > documented__time)) THEN (motor) ELSE NULL END, CASE  WHEN ((edema__time > documented__time)) THEN (edema) ELSE NULL END) END AS INTEGER) AS "grade"
  FROM rows__states
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
  r."grade",
  r."documented",
  r."ice",
  r."consciousness",
  r."seizure",
  r."motor",
  r."edema",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
