/*
title: Derived tables are as new as the data
meaning: >-
  An extract was ingested after the rules last ran; `timeline run` derives the tables anew.
category: computational conformance
severity: error
of: derived tables
asked: |-
  SELECT count(*) FROM meta.rule
*/
SELECT r.rule
FROM meta.rule AS r
WHERE (SELECT max(loaded_at) FROM meta.source) > (SELECT max(started_at) FROM meta.run)
ORDER BY r.rule
