/*
title: Rows can be used
meaning: >-
  Rows that were set aside, by reason.
category: completeness
severity: warning
limit: 0.01
of: rows
asked: |-
  SELECT coalesce(sum(rows_read), 0) FROM meta.source
*/
SELECT source_file, reason, count(*) AS rows
FROM meta.rejected
GROUP BY source_file, reason
ORDER BY rows DESC, source_file, reason
