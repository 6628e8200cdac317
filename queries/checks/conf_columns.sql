/*
title: Every column that is read can be read as its type, and is filled where it must be
meaning: >-
  What each format declares of the columns that it reads, judged at the ingest. The rows at fault are in meta.rejected, each with its reason.
category: value conformance
severity: warning
of: values
asked: |-
  SELECT coalesce(sum(rows), 0) FROM meta.conformance
*/
SELECT source_file, "column", "check", failures AS rows
FROM meta.conformance
WHERE failures > 0
ORDER BY source_file, "column", "check"
