/*
title: Sex and date of birth are known
meaning: >-
  Missing, or contradictory and so left empty.
category: completeness
severity: note
of: patients
asked: |-
  SELECT CASE WHEN EXISTS (FROM meta.patient_fact) THEN (SELECT count(*) FROM patient) ELSE 0 END
*/
SELECT patient_id, sex IS NULL AS without_sex, birth_date IS NULL AS without_birth_date
FROM patient
WHERE sex IS NULL OR birth_date IS NULL
ORDER BY patient_id
