/*
title: What lasts ends after it starts
meaning: >-
  Kept as the source has it; for rules such an event has no end.
category: temporal plausibility
severity: warning
of: events with an end
asked: |-
  SELECT count(*) FROM meta.event WHERE end_time IS NOT NULL
*/
SELECT patient_id, event_id, source_file, source_row, time, end_time, code
FROM meta.event
WHERE end_time < time
ORDER BY event_id
