/*
title: Records have no gap of more than a year
meaning: >-
  The longest time without any event, between a patient's first and last: care elsewhere, or a part of the extract that is missing.
category: completeness
severity: note
of: patients
asked: |-
  SELECT count(DISTINCT patient_id) FROM meta.event WHERE time IS NOT NULL
*/
WITH seen AS (SELECT DISTINCT patient_id, CAST(time AS DATE) AS day FROM meta.event WHERE time IS NOT NULL),
gap AS (SELECT patient_id, day - lag(day) OVER (PARTITION BY patient_id ORDER BY day) AS days FROM seen)
SELECT patient_id, max(days) AS days
FROM gap
WHERE days > 365
GROUP BY patient_id
ORDER BY days DESC, patient_id
