/*
title: No time is one that the clock leaves out
meaning: >-
  Where clocks are put forward an hour does not exist; times in it were written by another clock, or in winter time all year.
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
WHERE NOT e.date_only AND timezone(z.zone, timezone(z.zone, e.time)) <> e.time
ORDER BY e.event_id
