/*
title: Every row comes from a source that is registered
meaning: >-
  Each row names a file, and meta.source has its hash and format, so that every number leads back to bytes.
category: relational conformance
severity: error
of: rows
asked: |-
  SELECT (SELECT count(*) FROM meta.event) + (SELECT count(*) FROM meta.patient_fact)
      + (SELECT count(*) FROM meta.rejected)
*/
SELECT r.source_file, sum(r.n) AS rows
FROM (
    SELECT source_file, count(*) AS n FROM meta.event GROUP BY source_file
    UNION ALL SELECT source_file, count(*) FROM meta.patient_fact GROUP BY source_file
    UNION ALL SELECT source_file, count(*) FROM meta.rejected GROUP BY source_file
) AS r
WHERE r.source_file NOT IN (SELECT source_file FROM meta.source WHERE sha256 <> '' AND format <> '')
GROUP BY r.source_file
ORDER BY r.source_file
