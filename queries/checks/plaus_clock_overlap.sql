/*
title: No time is one that the clock has twice
meaning: >-
  Where clocks are put back an hour comes twice, and a time without an offset may be either: elapsed times across it may be an hour off. Times with an offset are converted to the study's clock, and are as doubtful there.
category: temporal plausibility
severity: note
of: times in a study whose time zone is said
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND NOT date_only
      AND EXISTS (FROM meta.study WHERE name = 'timezone')
*/
WITH zone AS (SELECT value AS zone FROM meta.study WHERE name = 'timezone'),
day AS (SELECT DISTINCT CAST(CAST(time AS DATE) AS TIMESTAMP) AS day FROM meta.event WHERE time IS NOT NULL),
change AS (
    -- The days on which 24 hours are not a day of the clock: few, so that few events are looked at.
    SELECT d.day FROM day AS d, zone AS z
    WHERE timezone(z.zone, timezone(z.zone, d.day) + INTERVAL 24 HOUR) <> d.day + INTERVAL 24 HOUR
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.code
FROM meta.event AS e
JOIN change AS c ON CAST(e.time AS DATE) = CAST(c.day AS DATE)
CROSS JOIN zone AS z
WHERE NOT e.date_only AND list_bool_or([timezone(z.zone, timezone(z.zone, e.time) + to_minutes(CAST(m AS BIGINT))) = e.time FOR m IN [-120, -60, -30, 30, 60, 120]])
ORDER BY e.event_id
