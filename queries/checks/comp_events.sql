/*
title: Patients have events
meaning: >-
  Patients who are listed and of whom nothing happened: their rows may be missing from the extract.
category: completeness
severity: note
of: patients
asked: |-
  SELECT count(*) FROM patient
*/
SELECT patient_id
FROM patient
WHERE patient_id NOT IN (SELECT DISTINCT patient_id FROM meta.event)
ORDER BY patient_id
