/*
title: What became of every row of the extract
question: How many rows of each file were read, loaded, folded as duplicates or rejected, and what was remarked on?
reads: [meta.source, event]
returns:
  source_file: the file
  format: its format
  rows_read: {meaning: rows read; equals loaded + duplicate + rejected, unit: "1"}
  rows_loaded: {meaning: "rows that became events, patients or facts", unit: "1"}
  rows_duplicate: {meaning: rows equal in every column to an earlier one, unit: "1"}
  rows_rejected: {meaning: rows that could not be used, unit: "1"}
  unmapped: {meaning: events whose code maps to no concept, unit: "1"}
  date_only: {meaning: events whose time was a bare date, unit: "1"}
  implausible: {meaning: "values outside the plausible range, which no rule sees", unit: "1"}
  unit_assumed: {meaning: "values without a unit in the source, read in the concept's own", unit: "1"}
section: quality
order: 10
*/
WITH remark AS (
    SELECT source_file, count(*) FILTER (WHERE concept IS NULL) AS unmapped,
        count(*) FILTER (WHERE date_only) AS date_only, count(*) FILTER (WHERE implausible) AS implausible,
        count(*) FILTER (WHERE value IS NOT NULL AND unit IS NOT NULL AND source_unit IS NULL) AS unit_assumed
    FROM event
    GROUP BY source_file
)
SELECT s.source_file, s.format, s.rows_read, s.rows_loaded, s.rows_duplicate, s.rows_rejected,
    r.unmapped, r.date_only, r.implausible, r.unit_assumed
FROM meta.source AS s
LEFT JOIN remark AS r ON r.source_file = s.source_file
ORDER BY s.source_file
