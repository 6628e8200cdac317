/*
title: Codes that map to no concept
question: Which codes of the extract does no concept know, the most frequent first?
reads: [event, meta.personal_word]
params:
  at_most: {default: 50, meaning: codes shown}
returns:
  code: the source's code; those that stand for a patient or a row each, such as names, together
  events: {meaning: events with it, unit: "1"}
  patients: {meaning: patients with such an event, unit: "1"}
  with_value: {meaning: events with a number, unit: "1"}
  source_unit: units as written in the source
section: quality
order: 40
empty: Every code maps to a concept.
*/
WITH personal AS (SELECT DISTINCT "column", word FROM meta.personal_word)
SELECT CASE WHEN c.word IS NULL THEN e.code ELSE '(of one patient each, not shown)' END AS code,
    count(*) AS events, count(DISTINCT e.patient_id) AS patients, count(e.value) AS with_value,
    string_agg(DISTINCT e.source_unit, ', ' ORDER BY e.source_unit) FILTER (u.word IS NULL) AS source_unit
FROM event AS e
LEFT JOIN personal AS c ON c."column" = 'code' AND c.word = e.code
LEFT JOIN personal AS u ON u."column" = 'unit' AND u.word = e.source_unit
WHERE e.concept IS NULL
GROUP BY 1
ORDER BY events DESC, code
LIMIT $at_most
