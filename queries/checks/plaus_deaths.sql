/*
title: A patient dies once
meaning: >-
  Deaths of one patient on different days: sources that contradict each other, or two patients under one id. Rules take the first.
category: uniqueness
severity: warning
of: patients who died
asked: |-
  SELECT count(DISTINCT patient_id) FROM meta.event WHERE concept = 'death' AND time IS NOT NULL
*/
SELECT patient_id, count(DISTINCT CAST(time AS DATE)) AS days
FROM meta.event
WHERE concept = 'death' AND time IS NOT NULL
GROUP BY patient_id
HAVING count(DISTINCT CAST(time AS DATE)) > 1
ORDER BY patient_id
