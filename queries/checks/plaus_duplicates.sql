/*
title: Rows are not repeated
meaning: >-
  Rows equal in every column to an earlier one of their file, folded into it at the ingest.
category: uniqueness
severity: note
limit: 0.01
of: rows
asked: |-
  SELECT coalesce(sum(rows_read), 0) FROM meta.source
*/
SELECT source_file, rows_duplicate AS rows
FROM meta.source
WHERE rows_duplicate > 0
ORDER BY source_file
