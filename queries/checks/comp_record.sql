/*
title: Patients with events are in the patients' file
meaning: >-
  Events of a patient of whom nothing else is said: was the list of patients made for another extract? Not asked where no source says anything of patients.
category: completeness
severity: warning
of: patients
asked: |-
  SELECT CASE WHEN EXISTS (FROM meta.patient_fact) THEN (SELECT count(DISTINCT patient_id) FROM meta.event) ELSE 0 END
*/
SELECT DISTINCT patient_id
FROM meta.event
WHERE CAST(patient_id AS VARCHAR) NOT IN (SELECT patient_id FROM meta.patient_fact)
ORDER BY patient_id
