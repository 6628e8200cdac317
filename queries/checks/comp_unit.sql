/*
title: Numbers come with their unit
meaning: >-
  Where the source says no unit, the concept's own is assumed: confirm that it is so.
category: completeness
severity: warning
limit: 0.01
of: numbers
asked: |-
  SELECT count(*) FROM meta.event WHERE value IS NOT NULL AND unit IS NOT NULL
*/
SELECT e.concept, e.source_file, count(*) AS rows
FROM meta.event AS e
WHERE e.value IS NOT NULL AND e.unit IS NOT NULL AND e.source_unit IS NULL
GROUP BY e.concept, e.source_file
ORDER BY rows DESC, e.concept, e.source_file
