/*
title: Response to anakinra
question: Did ICANS or CRS improve within a day of the last dose of each patient's first anakinra window?
reads: [anakinra_response, cohort]
returns:
  patient_id: the patient
  peak_icans: highest ICANS grade after the infusion
  icans_before: highest ICANS grade up to the first dose
  icans_after: lowest ICANS grade after the first dose, until a day after the last
  crs_before: highest CRS grade up to the first dose
  crs_after: lowest CRS grade after the first dose, until a day after the last
  neuro_responded: ICANS improved; empty where it cannot be told
  crs_responded: CRS improved; empty where it cannot be told
  responded: either improved; empty where it cannot be told
  response_group: the group used in the cytokine figure
table:
  kind: plain
  heads: {patient_id: Patient, peak_icans: Peak ICANS, icans_before: ICANS before, icans_after: ICANS after, crs_before: CRS
    before, crs_after: CRS after, neuro_responded: ICANS improved, crs_responded: CRS improved, responded: Either
    improved, response_group: Group}
section: results
order: 30
empty: No patient of the cohort has an anakinra window.
statistics:
  - {kind: proportion, of: responded, title: ICANS or CRS improved, published: X-15}
  - {kind: proportion, of: neuro_responded, title: ICANS improved}
  - {kind: proportion, of: crs_responded, title: CRS improved}
  - {kind: median_range, of: peak_icans, title: Peak ICANS grade, published: T1-12}
published: [X-15, T1-12]
*/
SELECT r.patient_id, r.peak_icans, r.icans_before, r.icans_after, r.crs_before, r.crs_after,
    r.neuro_responded, r.crs_responded, r.responded, r.response_group
FROM anakinra_response AS r
JOIN cohort AS c ON c.patient_id = r.patient_id
WHERE c.included AND r.window_number = 1
ORDER BY r.patient_id
