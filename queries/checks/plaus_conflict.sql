/*
title: One concept has one value at one instant
meaning: >-
  Instants at which two numbers of a concept differ, in one unit or after conversion: two samples, a correction beside what it corrects, or one unit mistaken. Numbers that their text tells apart, such as wells of a plate, are no conflict.
category: atemporal plausibility
severity: note
limit: 0.01
of: instants of measurement
asked: |-
  SELECT count(*) FROM (
      SELECT DISTINCT patient_id, time, concept, text
      FROM meta.event
      WHERE concept IS NOT NULL AND value IS NOT NULL AND time IS NOT NULL AND NOT date_only
  )
*/
SELECT patient_id, time, concept, text, count(*) AS events
FROM meta.event
WHERE concept IS NOT NULL AND value IS NOT NULL AND time IS NOT NULL AND NOT date_only
GROUP BY patient_id, time, concept, text
HAVING min(value) <> max(value)
ORDER BY patient_id, time, concept, text
