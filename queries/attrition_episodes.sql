/*
title: What the rows of each rule found in their windows, and how near the rest came
question: For how many episodes, windows and pairs did each lookup find something; where not, what was missing, and by how much?
reads: [meta.verdict, meta.clause, meta.rule]
returns:
  rule: the rule
  lookup: "the lookup, a side of a pair"
  rows: {meaning: rows that looked, unit: "1"}
  patients: {meaning: patients of those rows, unit: "1"}
  found: {meaning: rows that found something, unit: "1"}
  out_of_window: {meaning: "rows for which something lies outside the window only", unit: "1"}
  median_hours_outside: {meaning: "median distance of the nearest from the window, in those rows", unit: h}
  wrong_value: {meaning: "rows with something in the window that the lookup does not want", unit: "1"}
  not_found: {meaning: rows for which there is nothing at all, unit: "1"}
  unknown: {meaning: "rows that could not look, or whose values are unknown", unit: "1"}
section: quality
order: 61
*/
SELECT v.rule, v.clause AS lookup, count(*) AS rows, count(DISTINCT v.patient_id) AS patients,
    count(*) FILTER (WHERE v.outcome = 'true') AS found,
    count(*) FILTER (WHERE v.reason = 'out_of_window') AS out_of_window,
    round(median(v.margin) FILTER (WHERE v.reason = 'out_of_window'), 1) AS median_hours_outside,
    count(*) FILTER (WHERE v.reason = 'wrong_value') AS wrong_value,
    count(*) FILTER (WHERE v.reason = 'not_found') AS not_found,
    count(*) FILTER (WHERE v.reason = 'unknown') AS unknown
FROM meta.verdict AS v
JOIN meta.clause AS c ON c.rule = v.rule AND c.clause = v.clause AND c.kind = 'lookup'
JOIN meta.rule AS r ON r.rule = v.rule
GROUP BY v.rule, v.clause, r.rowid, c.position
ORDER BY r.rowid, c.position
