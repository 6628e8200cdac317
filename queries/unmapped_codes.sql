/*
title: Codes that map to no concept
question: Which codes of the extract does no concept know, the most frequent first?
reads: [event]
params:
  at_most: {default: 50, meaning: codes shown}
returns:
  code: the source's code
  events: {meaning: events with it, unit: "1"}
  patients: {meaning: patients with such an event, unit: "1"}
  with_value: {meaning: events with a number, unit: "1"}
  source_unit: units as written in the source
section: quality
order: 40
empty: Every code maps to a concept.
*/
SELECT code, count(*) AS events, count(DISTINCT patient_id) AS patients, count(value) AS with_value,
    string_agg(DISTINCT source_unit, ', ' ORDER BY source_unit) AS source_unit
FROM event
WHERE concept IS NULL
GROUP BY code
ORDER BY events DESC, code
LIMIT $at_most
