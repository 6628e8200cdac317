/*
title: What the conditions of each rule leave of the rows it reads
question: How many events, or rows of another rule, does each condition of a rule let through, and of how many patients?
reads: [meta.clause, meta.rule]
returns:
  rule: the rule
  asked_of: "whose rows were asked; of a grade, for which finding"
  condition: "the condition, in the words of the rule; each has to hold after those before it"
  rows_true: {meaning: rows for which it holds, unit: "1"}
  rows_false: {meaning: rows for which it does not hold, unit: "1"}
  rows_unknown: {meaning: "rows for which it cannot be told, which are not taken either", unit: "1"}
  rows_left: {meaning: rows for which it and those before it hold, unit: "1"}
  patients_left: {meaning: patients of those rows, unit: "1"}
section: quality
order: 60
*/
SELECT c.rule, c.asked_of, regexp_replace(c.clause, '^.*?where: ', '') AS condition,
    c.rows_true, c.rows_false, c.rows_unknown, c.rows_left, c.patients_left
FROM meta.clause AS c
JOIN meta.rule AS r ON r.rule = c.rule
WHERE c.kind = 'where'
ORDER BY r.rowid, c.position
