/*
title: Patients are not older than people become
meaning: >-
  More than 120 years from the date of birth to an event: a century mistyped, a placeholder for an unknown date of birth, or an age that was hidden by shifting it.
category: temporal plausibility
context: validation
severity: warning
of: patients with a date of birth and events
asked: |-
  SELECT count(*) FROM patient WHERE birth_date IS NOT NULL AND patient_id IN (SELECT patient_id FROM meta.event WHERE time IS NOT NULL)
*/
SELECT p.patient_id, p.birth_date, CAST(max(e.time) AS DATE) AS last_day
FROM patient AS p
JOIN meta.event AS e ON e.patient_id = p.patient_id
GROUP BY p.patient_id, p.birth_date
-- The oldest person of whom this is verified died at 122 (J. Calment; Robine and Allard, Science 1998).
HAVING max(e.time) > p.birth_date + INTERVAL 120 YEAR
ORDER BY p.patient_id
