/*
title: Measurements have their number
meaning: >-
  Of concepts that have a unit: a dose or a result without a number counts as given or taken, and in no sum.
category: completeness
severity: warning
limit: 0.05
of: measurements
asked: |-
  SELECT count(*) FROM meta.event AS e JOIN concept AS c ON c.concept = e.concept WHERE c.unit IS NOT NULL AND len(c.words) = 0
*/
SELECT e.concept, count(*) AS rows, count(DISTINCT e.patient_id) AS patients
FROM meta.event AS e
JOIN concept AS c ON c.concept = e.concept
WHERE c.unit IS NOT NULL AND len(c.words) = 0 AND e.value IS NULL
GROUP BY e.concept
ORDER BY rows DESC, e.concept
