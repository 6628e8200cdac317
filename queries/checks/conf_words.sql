/*
title: Words are those of the concept's list
meaning: >-
  A word that no rule knows is no observation; a mapping can say which of the concept's words it stands for.
category: value conformance
severity: warning
of: events
asked: |-
  SELECT count(*) FROM meta.event AS e JOIN concept AS c ON c.concept = e.concept AND len(c.words) > 0 WHERE e.text IS NOT NULL
*/
SELECT e.concept, e.text, count(*) AS rows
FROM meta.event AS e
JOIN concept AS c ON c.concept = e.concept
WHERE len(c.words) > 0 AND e.text IS NOT NULL AND NOT list_contains(c.words, e.text)
GROUP BY e.concept, e.text
ORDER BY rows DESC, e.concept, e.text
