/*
title: Nothing happened after the extract was ingested
meaning: >-
  Years mistyped, or dates that were shifted to hide who the patients are: then all of them are, and this can be left to fail.
category: temporal plausibility
severity: warning
of: events
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL
*/
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.code
FROM meta.event AS e
JOIN meta.source AS s ON s.source_file = e.source_file
-- The day of grace is for clocks ahead of UTC.
WHERE e.time > s.loaded_at + INTERVAL 1 DAY
ORDER BY e.event_id
