/*
title: Sources agree about a patient's sex and date of birth
meaning: >-
  Where they differ the fact stays empty, and neither is chosen.
category: atemporal plausibility
severity: warning
of: patients
asked: |-
  SELECT count(DISTINCT patient_id) FROM meta.patient_fact
*/
SELECT patient_id, count(DISTINCT lower(sex)) AS sexes, count(DISTINCT birth_date) AS birth_dates,
    count(DISTINCT birth_year) AS birth_years
FROM meta.patient_fact
GROUP BY patient_id
HAVING count(DISTINCT lower(sex)) > 1 OR count(DISTINCT birth_date) > 1 OR count(DISTINCT birth_year) > 1
ORDER BY patient_id
