/*
title: One concept has one value at one instant
meaning: >-
  Instants at which two numbers of a concept differ, in one unit or after conversion: two samples, a correction beside what it corrects, or one unit mistaken.
category: atemporal plausibility
severity: note
limit: 0.01
of: measurements
asked: |-
  SELECT count(*) FROM meta.event WHERE concept IS NOT NULL AND value IS NOT NULL AND time IS NOT NULL AND NOT date_only
*/
SELECT patient_id, time, concept, count(*) AS events
FROM meta.event
WHERE concept IS NOT NULL AND value IS NOT NULL AND time IS NOT NULL AND NOT date_only
GROUP BY patient_id, time, concept
HAVING min(value) <> max(value)
ORDER BY patient_id, time, concept
