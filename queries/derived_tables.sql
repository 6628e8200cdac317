/*
title: What the rules derived
question: How many rows and patients has each derived table, and what did its rule not find?
reads: [meta.rule]
returns:
  rule: the rule, and its table
  title: what it derives
  rows: {meaning: rows derived, unit: "1"}
  patients: {meaning: patients with a row, unit: "1"}
  rows_date_only: {meaning: "rows that rest on a bare date, read as midnight", unit: "1"}
  notes: concepts, windows and levels that matched nothing
section: quality
order: 50
*/
SELECT rule, title, rows, patients, rows_date_only, nullif(array_to_string(notes, '; '), '') AS notes
FROM meta.rule
ORDER BY rule
