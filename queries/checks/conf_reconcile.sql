/*
title: Every row of every source is an event, a fact, a duplicate or rejected
meaning: >-
  The counts of meta.source add up, and are those of the tables. If not, the file was changed by hand or is damaged; ingest its extract anew.
category: relational conformance
severity: error
of: sources
asked: |-
  SELECT count(*) FROM meta.source
*/
WITH stored AS (
    SELECT source_file, count(*) AS n
    FROM (SELECT source_file FROM meta.event UNION ALL SELECT source_file FROM meta.patient_fact) GROUP BY source_file
),
aside AS (SELECT source_file, count(*) AS n FROM meta.rejected GROUP BY source_file)
SELECT s.source_file, s.rows_read, s.rows_loaded, s.rows_duplicate, s.rows_rejected,
    coalesce(stored.n, 0) AS rows_stored, coalesce(aside.n, 0) AS rows_aside
FROM meta.source AS s
LEFT JOIN stored ON stored.source_file = s.source_file
LEFT JOIN aside ON aside.source_file = s.source_file
WHERE s.rows_read <> s.rows_loaded + s.rows_duplicate + s.rows_rejected
    OR s.rows_loaded <> coalesce(stored.n, 0) OR s.rows_rejected <> coalesce(aside.n, 0)
ORDER BY s.source_file
