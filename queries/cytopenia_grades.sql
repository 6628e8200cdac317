/*
title: Cytopenia three to four weeks after anakinra
question: How severe were neutropenia and thrombocytopenia three to four weeks after anakinra?
reads: [lab_pair, cohort, anakinra_window, outcome, cytopenia]
params:
  earliest: {default: 22d, meaning: "earliest count after the last dose, as in rule lab_pair", unit: d}
  severe: {default: 3, meaning: lowest CTCAE grade counted as severe}
returns:
  patient_id: the patient
  analyte: what was counted
  cytopenia: the cytopenia, in words
  value: {meaning: count nearest to 28 days after the last dose, unit: 10*9/L}
  grade: CTCAE version 5 grade of that count
  severe: whether the grade is 3 or 4; empty where there is no pair of counts
  missing: why there is no grade
section: results
order: 55
show: chart
empty: No patient of the cohort has an anakinra window, so there is no count after one.
caption: >
  CTCAE version 5 grades of the counts three to four weeks after the last dose of anakinra, of the patients with a count
  before and after (Wehrli et al. 2022, Figure 2C). Shares are of those with a grade; who has none is not counted as
  grade 0. The paper prints its shares cut after two decimals: 55.55 % is 5 of 9, 77.77 % is 7 of 9.
chart:
  kind: shares
  group: {column: analyte, title: Cytopenia}
  words: cytopenia
  level: {column: grade, title: CTCAE v5 grade}
  levels: {"0": "0", "1": "1", "2": "2", "3": "3", "4": "4"}
  missing: missing
  x: Share of patients with a grade, %
statistics:
  - {kind: counts, of: severe, by: analyte, words: cytopenia, levels: [grade 3-4, grade 0-2], title: Grade 3 or 4}
  - {kind: counts, name: grades, of: grade, by: analyte, words: cytopenia, levels: ["0", "1", "2", "3", "4"], title: CTCAE v5 grade}
published: [X-25, X-27, F2C-L, F2C-R]
*/
WITH graded AS (
    SELECT patient_id, analyte, time, max(grade) AS grade FROM cytopenia GROUP BY patient_id, analyte, time
)
SELECT p.patient_id, p.analyte,
    CASE p.analyte WHEN 'neutrophils' THEN 'Neutropenia' ELSE 'Thrombocytopenia' END AS cytopenia,
    CASE WHEN p.complete THEN p.after_value END AS value,
    CASE WHEN p.complete THEN g.grade::VARCHAR END AS grade,
    CASE WHEN NOT p.complete OR g.grade IS NULL THEN NULL WHEN g.grade >= $severe THEN 'grade 3-4' ELSE 'grade 0-2' END AS severe,
    CASE WHEN p.complete AND g.grade IS NULL THEN 'no grade of the count'
        WHEN p.complete THEN NULL
        ELSE concat_ws(' and ',
        CASE WHEN p.before_value IS NULL THEN 'no count before the first dose' END,
        CASE WHEN p.after_value IS NOT NULL THEN NULL
            WHEN o.death_time < w.end_time + $earliest THEN 'died within three weeks of the last dose'
            WHEN o.last_time < w.end_time + $earliest THEN 'not followed for three weeks'
            ELSE 'alive three weeks after the last dose, not drawn' END) END AS missing
FROM lab_pair AS p
JOIN cohort AS c ON c.patient_id = p.patient_id
JOIN anakinra_window AS w ON w.patient_id = p.patient_id AND w.number = p.window_number
LEFT JOIN outcome AS o ON o.patient_id = p.patient_id
LEFT JOIN graded AS g ON g.patient_id = p.patient_id AND g.analyte = p.analyte AND g.time = p.after_time
WHERE c.included AND p.window_number = 1 AND p.analyte IN ('neutrophils', 'platelets')
ORDER BY p.analyte, p.patient_id
