/*
title: Nothing happens after death
meaning: >-
  Results that came late, and orders that nobody stopped, are common. A death by a bare date is on the whole of its day, so that nothing on that day comes after it.
category: temporal plausibility
severity: note
of: events of those who died
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND patient_id IN (
    SELECT patient_id FROM meta.event WHERE concept = 'death' AND time IS NOT NULL
  )
*/
WITH death AS (
    -- A bare date is the whole of its day: what follows on that day is not after it.
    SELECT patient_id, min(CASE WHEN date_only THEN time + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND ELSE time END) AS time
    FROM meta.event
    WHERE concept = 'death'
    GROUP BY patient_id
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.concept, e.code
FROM meta.event AS e
JOIN death AS d ON d.patient_id = e.patient_id
WHERE e.time > d.time AND e.concept IS DISTINCT FROM 'death'
ORDER BY e.event_id
