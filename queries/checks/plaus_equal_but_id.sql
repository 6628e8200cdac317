/*
title: No two events are equal but for what is not read
meaning: >-
  The same patient, time, end, code, value, unit, text and route as another event: the same row under another id, in another file, or with a difference in columns that are not read. Ingest counts fewer, rows that equal others in every column but their id. Each counts as a dose or a measurement of its own.
category: uniqueness
severity: warning
limit: 0.001
of: events
asked: |-
  SELECT count(*) FROM meta.event
*/
WITH keyed AS (
    SELECT event_id, patient_id, hash(time, end_time, code, source_value, source_unit, text, route) AS content
    FROM meta.event
),
copy AS (
    SELECT event_id, row_number() OVER (PARTITION BY patient_id, content ORDER BY event_id) AS place FROM keyed
    WHERE (patient_id, content) IN (SELECT (patient_id, content) FROM keyed GROUP BY ALL HAVING count(*) > 1)
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.code
FROM meta.event AS e
WHERE e.event_id IN (SELECT event_id FROM copy WHERE place > 1)
ORDER BY e.event_id
