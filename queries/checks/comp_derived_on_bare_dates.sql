/*
title: Derived rows rest on times with a clock
meaning: >-
  Rows whose evidence has a bare date, as meta.day_precision lists them.
category: completeness
severity: note
of: derived rows
asked: |-
  SELECT coalesce(sum(rows), 0) FROM meta.rule
*/
SELECT d.patient_id, d.rule, d.number, d.events
FROM meta.day_precision AS d
ORDER BY d.rule, d.patient_id, d.number
