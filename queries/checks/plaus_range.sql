/*
title: Values are in the plausible range of their concept
meaning: >-
  Outside of what the concept declares as possible: kept in `event`, and no observation for rules. A group with many is rather a wrong unit or a wrong code.
category: atemporal plausibility
severity: warning
context: validation
limit: 0.01
of: numbers
asked: |-
  SELECT count(*) FROM meta.event AS e JOIN concept AS c ON c.concept = e.concept
  WHERE e.value IS NOT NULL AND (c.low IS NOT NULL OR c.high IS NOT NULL)
*/
SELECT concept, source_file, code, source_unit, count(*) AS rows, count(DISTINCT patient_id) AS patients
FROM meta.event
WHERE implausible
GROUP BY concept, source_file, code, source_unit
ORDER BY rows DESC, concept, source_file, code, source_unit
