/*
title: Toxicity episodes, all patients
question: How many episodes of CRS and of ICANS did anybody with an infusion have, when did they begin, and how long did they last?
reads: [crs_episode, icans_episode]
returns:
  toxicity: CRS or ICANS
  peak_grade: highest grade in the episode
  episodes: {meaning: episodes with this peak, unit: "1"}
  patients: {meaning: patients with such an episode, unit: "1"}
  median_start_day: {meaning: "median first day, the infusion being day 0", unit: d}
  median_hours: {meaning: median time from the first to the last observation of a grade, unit: h}
  longest_hours: {meaning: longest such time, unit: h}
section: results
order: 10
empty: Nobody has an episode of CRS or of ICANS; grades begin with a CAR-T infusion.
*/
WITH episode AS (
    SELECT 'CRS' AS toxicity, patient_id, peak_grade, start_day, start_time, end_time FROM crs_episode
    UNION ALL
    SELECT 'ICANS', patient_id, peak_grade, start_day, start_time, end_time FROM icans_episode
)
SELECT toxicity, peak_grade, count(*) AS episodes, count(DISTINCT patient_id) AS patients,
    median(start_day) AS median_start_day,
    median((epoch_us(end_time) - epoch_us(start_time)) / 3600e6) AS median_hours,
    max((epoch_us(end_time) - epoch_us(start_time)) / 3600e6) AS longest_hours
FROM episode
GROUP BY toxicity, peak_grade
ORDER BY toxicity, peak_grade
