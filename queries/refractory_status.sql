/*
title: Steroid-refractory ICANS
question: How many ICANS episodes of the cohort were refractory to steroids, by product?
reads: [steroid_refractory, cohort]
returns:
  product: CAR-T product
  status: untreated, responsive, refractory, or indeterminate where no grade was recorded in the window
  episodes: {meaning: ICANS episodes, unit: "1"}
  patients: {meaning: patients with such an episode, unit: "1"}
section: results
order: 20
empty: No patient of the cohort has an ICANS episode.
published: [M-06]
*/
SELECT replace(r.product, '_', ' ') AS product, r.status, count(*) AS episodes, count(DISTINCT r.patient_id) AS patients
FROM steroid_refractory AS r
JOIN cohort AS c ON c.patient_id = r.patient_id
WHERE c.included
GROUP BY r.product, r.status
ORDER BY r.product, r.status
