/*
title: Febrile neutropenia
question: Which episodes of febrile neutropenia were there, was an antibiotic given within an hour, and when did counts recover?
reads: [febrile_neutropenia]
returns:
  patient_id: the patient
  number: which episode of the patient
  start_time: first fever with neutropenia
  end_time: last one
  peak_temperature: {meaning: highest temperature, unit: Cel}
  lowest_neutrophils: {meaning: lowest neutrophil count near the fevers, unit: 10*9/L}
  covered: an antibiotic was given in the time before
  antibiotic: first antibiotic from the start on
  hours_to_antibiotic: {meaning: time from the start to it, unit: h}
  within_hour: whether it was given within an hour; empty where none is recorded, or one had been given before
  hours_to_recovery: {meaning: time to the first count that is not neutropenic; empty where not observed, unit: h}
section: results
order: 5
optional: true
empty: Nobody has an episode of febrile neutropenia.
statistics:
  - {kind: proportion, of: within_hour, title: First antibiotic within an hour}
  - {kind: median_range, of: hours_to_antibiotic, title: Time to the first antibiotic, unit: h}
  - {kind: median_range, of: hours_to_recovery, title: Time to recovery of neutrophils, unit: h}
*/
SELECT patient_id, number, start_time, end_time, peak_temperature, lowest_neutrophils, covered, antibiotic,
    hours_to_antibiotic, within_hour, hours_to_recovery
FROM febrile_neutropenia
ORDER BY patient_id, number
