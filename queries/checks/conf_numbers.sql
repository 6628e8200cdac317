/*
title: Numbers are not written in words
meaning: >-
  `hemolyzed`, `positive`, `1,5`: kept as text, and no number is made of it.
category: value conformance
severity: warning
limit: 0.01
of: measurements with a value
asked: |-
  SELECT count(*) FROM meta.event AS e JOIN concept AS c ON c.concept = e.concept
  WHERE c.unit IS NOT NULL AND len(c.words) = 0 AND e.source_value IS NOT NULL
*/
SELECT e.concept, e.source_value, count(*) AS rows
FROM meta.event AS e
JOIN concept AS c ON c.concept = e.concept
WHERE c.unit IS NOT NULL AND len(c.words) = 0 AND e.value IS NULL AND e.source_value IS NOT NULL
GROUP BY e.concept, e.source_value
ORDER BY rows DESC, e.concept, e.source_value
