/*
title: Nothing happens on a day after death
meaning: >-
  A measurement or a dose on a later day says that the death or the patient is wrong, unless it is the writing of a discharge or of a late result.
category: temporal plausibility
severity: warning
of: events of those who died
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND patient_id IN (
    SELECT patient_id FROM meta.event WHERE concept = 'death' AND time IS NOT NULL
  )
*/
WITH death AS (
    SELECT patient_id, min(CAST(time AS DATE)) AS day
    FROM meta.event
    WHERE concept = 'death'
    GROUP BY patient_id
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.concept, e.code
FROM meta.event AS e
JOIN death AS d ON d.patient_id = e.patient_id
WHERE CAST(e.time AS DATE) > d.day AND e.concept IS DISTINCT FROM 'death'
ORDER BY e.event_id
