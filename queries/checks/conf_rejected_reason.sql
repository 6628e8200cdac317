/*
title: Every rejected row has its reason and its text
meaning: >-
  A row that was set aside says why, and is kept as it was read.
category: value conformance
severity: error
of: rejected rows
asked: |-
  SELECT count(*) FROM meta.rejected
*/
SELECT source_file, source_row
FROM meta.rejected
WHERE trim(reason) = '' OR trim(raw) = ''
ORDER BY source_file, source_row
