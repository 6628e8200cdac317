/*
title: Events per concept
question: What does the extract hold, and how much of it can be used?
reads: [event]
returns:
  concept: the concept; a code that maps to none is counted by the query unmapped_codes
  events: {meaning: events, unit: "1"}
  patients: {meaning: patients with such an event, unit: "1"}
  first_time: earliest
  last_time: latest
  with_value: {meaning: events with a number, unit: "1"}
  unit: unit of the numbers
  bounded: {meaning: "numbers that are only a bound, such as <0.5", unit: "1"}
  implausible: {meaning: numbers outside the concept's plausible range, unit: "1"}
  date_only: {meaning: times that were a bare date, unit: "1"}
empty: No event maps to a concept; see the codes without one.
*/
SELECT concept, count(*) AS events, count(DISTINCT patient_id) AS patients, min(time) AS first_time,
    max(time) AS last_time, count(value) AS with_value,
    string_agg(DISTINCT unit, ', ' ORDER BY unit) AS unit, count(bound) AS bounded,
    count(*) FILTER (WHERE implausible) AS implausible, count(*) FILTER (WHERE date_only) AS date_only
FROM event
WHERE concept IS NOT NULL
GROUP BY concept
ORDER BY events DESC, concept
