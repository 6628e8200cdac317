/*
title: Whoever died has a day of death
meaning: >-
  A death without a time, or only that there was one. The patients count as dead, and no survival can be told of them; ask the source for the day.
category: completeness
severity: warning
of: patients who died
asked: SELECT count(DISTINCT patient_id) FROM meta.event WHERE concept IN ('death', 'known_dead')
*/
SELECT patient_id, min(event_id) AS event_id, min(source_file) AS source_file, min_by(source_row, event_id) AS source_row
FROM meta.event
WHERE concept IN ('death', 'known_dead')
GROUP BY patient_id
HAVING count(time) = 0
ORDER BY patient_id
