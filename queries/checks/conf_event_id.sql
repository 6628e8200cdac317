/*
title: No two events have the same id
meaning: >-
  `evidence` names events by their ids; two of one id could not be told apart.
category: relational conformance
severity: error
of: events
asked: |-
  SELECT count(*) FROM meta.event
*/
SELECT event_id, count(*) - 1 AS rows
FROM meta.event
GROUP BY event_id
HAVING count(*) > 1
ORDER BY event_id
