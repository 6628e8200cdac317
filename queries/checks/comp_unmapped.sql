/*
title: Codes mean a concept
meaning: >-
  Events that no rule can see. An extract may hold much that a study does not need; look whether a code that it does need is among them.
category: completeness
severity: note
limit: 0.1
of: events
asked: |-
  SELECT count(*) FROM meta.event
*/
SELECT code, count(*) AS rows, count(DISTINCT patient_id) AS patients
FROM meta.event
WHERE concept IS NULL
GROUP BY code
ORDER BY rows DESC, code
