/*
title: Markers around the first dose of anakinra
question: What did temperature, CRP and ferritin do in the days before and after the first dose of anakinra?
reads: [cohort, anakinra_window, inflammation_value, temperature_reading]
params:
  from_day: {default: -7, meaning: "first day shown, the day of the first anakinra dose being day 0", unit: d}
  to_day: {default: 14, meaning: last day shown, unit: d}
returns:
  analyte: what was measured
  patient_id: the patient
  day: {meaning: calendar day relative to the first anakinra dose, unit: d}
  value: highest value of the day
  unit: unit of the value
  readings: {meaning: values on that day, unit: "1"}
section: results
order: 62
show: chart
empty: No patient of the cohort has an anakinra window, so there is no first dose to look around.
chart:
  kind: course
  line: patient_id
  day: day
  value: value
  panel: analyte
  panels:
    temperature: {title: "Temperature, °C"}
    crp: {title: "CRP, mg/L", log: true}
    ferritin: {title: "Ferritin, µg/L", log: true}
  x: Days relative to the first dose of anakinra
  zero: First anakinra dose
caption: >
  The highest value of each calendar day. CRP and ferritin are on logarithmic axes. A line goes straight from one day
  with a value to the next; n says how many patients have a value that day, and so who speaks in the median. Who is
  discharged or dies is no longer measured.
published: [C-02]
*/
WITH anchor AS (
    -- The paper's analyses use each patient's first anakinra window.
    SELECT w.patient_id, CAST(w.start_time AS DATE) AS date
    FROM anakinra_window AS w
    JOIN cohort AS c ON c.patient_id = w.patient_id AND c.included
    WHERE w.number = 1
),
reading AS (
    SELECT patient_id, time, analyte, value, unit FROM inflammation_value
    UNION ALL
    SELECT patient_id, time, 'temperature', value, 'Cel' FROM temperature_reading
)
SELECT r.analyte, r.patient_id, CAST(r.time AS DATE) - a.date AS day, max(r.value) AS value, min(r.unit) AS unit,
    count(*) AS readings
FROM reading AS r
JOIN anchor AS a ON a.patient_id = r.patient_id
WHERE CAST(r.time AS DATE) - a.date BETWEEN $from_day AND $to_day
GROUP BY r.analyte, r.patient_id, CAST(r.time AS DATE) - a.date
ORDER BY r.analyte, r.patient_id, day
