/*
title: Rows that could not be used
question: Why were rows rejected, how many for each reason, and where is the first?
reads: [meta.rejected]
returns:
  source_file: the file
  reason: why
  rows: {meaning: rows rejected for it, unit: "1"}
  first_row: the first of them, the first data row of the file being 1
section: quality
order: 20
empty: No row was rejected.
*/
SELECT source_file, reason, count(*) AS rows, min(source_row) AS first_row
FROM meta.rejected
GROUP BY source_file, reason
ORDER BY rows DESC, source_file, reason
