/*
title: Laboratory values before and after anakinra
question: How did temperature, CRP, ferritin and blood counts change around each anakinra window?
reads: [lab_pair]
params:
  analyte: {default: all, meaning: "one analyte, or all"}
  window_number: {default: 1, meaning: which window of each patient; 0 for every window}
returns:
  patient_id: the patient
  window_number: which anakinra window
  analyte: what was measured
  unit: unit of the values
  before_value: value before the first dose
  before_time: when
  after_value: value after the last dose
  after_time: when
  change: after minus before
  percent_change: {meaning: change in percent of the value before, unit: "%"}
  ratio: after over before
  complete: both were found
  missing: the sides not found
section: results
order: 90
empty: No anakinra window, so there are no pairs around one.
*/
SELECT patient_id, window_number, analyte, unit, before_value, before_time, after_value, after_time,
    change, percent_change, ratio, complete, missing
FROM lab_pair
WHERE ($analyte = 'all' OR analyte = $analyte) AND ($window_number = 0 OR window_number = $window_number)
ORDER BY analyte, patient_id, window_number
