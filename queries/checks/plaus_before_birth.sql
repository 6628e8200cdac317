/*
title: Nothing happens before birth
meaning: >-
  An event before the day on which the patient was born.
category: temporal plausibility
severity: warning
of: events of patients with a date of birth
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND patient_id IN (SELECT patient_id FROM patient WHERE birth_date IS NOT NULL)
*/
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.code
FROM meta.event AS e
JOIN patient AS p ON p.patient_id = e.patient_id
WHERE CAST(e.time AS DATE) < p.birth_date
ORDER BY e.event_id
