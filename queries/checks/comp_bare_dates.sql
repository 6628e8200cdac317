/*
title: Times have a clock
meaning: >-
  Bare dates are read as midnight; windows of hours around them are only as exact as a day.
category: completeness
severity: note
of: times
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL
*/
SELECT coalesce(concept, code) AS concept, count(*) AS rows, count(DISTINCT patient_id) AS patients
FROM meta.event
WHERE date_only
GROUP BY coalesce(concept, code)
ORDER BY rows DESC, 1
