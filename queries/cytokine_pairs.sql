/*
title: Cytokines before and after anakinra, as folds of the baseline
question: Which cytokines were lower or higher after anakinra, in those with every sample?
reads: [cytokine_pair, cohort, anakinra_window, anakinra_response, cytokine, concept, tocilizumab_dose]
returns:
  patient_id: the patient
  analyte: the cytokine
  panel: the cytokine, in words
  before_value: {meaning: last in the 48 hours before the first dose, unit: pg/mL}
  after_value: {meaning: first from 2 to 8 days after the last dose, unit: pg/mL}
  fold_before: {meaning: value before over the baseline on the day of the infusion, unit: "1"}
  fold_after: {meaning: value after over the baseline, unit: "1"}
  missing: why the patient is not tested
  response_group: "group by peak ICANS and its answer to anakinra"
  tocilizumab: whether a dose of tocilizumab was given in the 21 days up to the last dose of anakinra
section: results
order: 70
show: chart
empty: No patient of the cohort has an anakinra window, so there are no cytokines around one.
caption: >
  One line a patient with all three samples of every cytokine, from the last sample before the first dose of anakinra
  to the first from two to eight days after the last dose, both as folds of the patient's own sample before the infusion
  (dotted line at 1; Wehrli et al. 2022, Figure 3). The axis is logarithmic. Colour, dash and symbol say whether ICANS
  peaked at grade 3 or 4 and fell after anakinra. One test a cytokine; the baseline cancels out of it. Tocilizumab
  raises IL-6 and its soluble receptor by itself, and an assay of IL-1 receptor antagonist measures anakinra, too.
chart:
  kind: pairs
  label: {column: patient_id, title: Patient}
  before: {column: fold_before, title: before}
  after: {column: fold_after, title: after}
  panel: analyte
  words: panel
  colour: {column: response_group, title: Peak ICANS}
  colours:
    grade 3-4 response: {colour: red, title: "grade 3–4, fell after anakinra"}
    grade 3-4 no response: {colour: ink, title: "grade 3–4, did not fall"}
    grade 1-2: {colour: gray, title: grade 1–2}
  detail: {column: tocilizumab, title: Tocilizumab in the 21 days before}
  y: Fold of baseline
  log: true
  rule: 1
  rule_title: the patient's own baseline
  per_row: 5
statistics:
  - {kind: paired, test: ratio_t, before: before_value, after: after_value, by: analyte, words: panel,
      label: patient_id, missing: missing, unit: pg/mL, beside: [wilcoxon, sign_test, leave_one_out],
      adjust: [holm, benjamini_hochberg], title: Cytokines, published: F3-04}
published: [X-31, X-32, F3-01, F3-04, F3-05, F3-06]
*/
WITH pair AS (
    SELECT p.*, bool_and(p.complete) OVER (PARTITION BY p.patient_id) AS every_sample,
        bool_or(p.baseline_value IS NULL) OVER (PARTITION BY p.patient_id) AS no_baseline,
        bool_or(p.before_value IS NULL) OVER (PARTITION BY p.patient_id) AS no_before,
        bool_or(p.after_value IS NULL) OVER (PARTITION BY p.patient_id) AS no_after
    FROM cytokine_pair AS p
    JOIN cohort AS c ON c.patient_id = p.patient_id
    WHERE c.included AND p.window_number = 1
)
SELECT p.patient_id, p.analyte, coalesce(regexp_replace(k.title, ', mass$', ''), p.analyte) AS panel,
    -- Those who lack a sample of any cytokine are in no test, as published.
    CASE WHEN every_sample THEN before_value END AS before_value,
    CASE WHEN every_sample THEN after_value END AS after_value,
    CASE WHEN every_sample THEN fold_before END AS fold_before,
    CASE WHEN every_sample THEN fold_after END AS fold_after,
    CASE WHEN every_sample THEN NULL
        WHEN p.patient_id NOT IN (SELECT patient_id FROM cytokine) THEN 'no serum'
        ELSE 'no sample ' || concat_ws(' or ', CASE WHEN no_baseline THEN 'at baseline' END,
            CASE WHEN no_before THEN 'before' END, CASE WHEN no_after THEN 'after' END) END AS missing,
    r.response_group,
    CASE WHEN EXISTS (
        FROM tocilizumab_dose AS t
        WHERE t.patient_id = p.patient_id AND t.time BETWEEN w.end_time - INTERVAL 21 DAY AND w.end_time
    ) THEN 'given' ELSE 'none recorded' END AS tocilizumab
FROM pair AS p
JOIN anakinra_window AS w ON w.patient_id = p.patient_id AND w.number = p.window_number
LEFT JOIN anakinra_response AS r ON r.patient_id = p.patient_id AND r.window_number = p.window_number
LEFT JOIN concept AS k ON k.concept = p.analyte
-- By family and number: IL-2 before IL-10.
ORDER BY regexp_extract(p.analyte, '^[a-z_]+'), TRY_CAST(regexp_extract(p.analyte, '^[a-z_]+([0-9]+)', 1) AS INTEGER),
    p.analyte, p.patient_id
