/*
title: The cohort
question: How many patients are studied, and what came of it?
reads: [cohort, infusion, icans_episode, crs_episode, steroid_refractory, anakinra_response, outcome]
returns:
  label: what is counted
  value: the count, as it is read
  detail: of how many, and what is not known
section: summary
order: 10
show: cards
*/
WITH member AS (SELECT patient_id FROM cohort WHERE included),
response AS (
    -- The paper's analyses use each patient's first anakinra window.
    SELECT r.* FROM anakinra_response AS r JOIN member USING (patient_id) WHERE r.window_number = 1
),
refractory AS (SELECT s.* FROM steroid_refractory AS s JOIN member USING (patient_id)),
fate AS (SELECT o.* FROM outcome AS o JOIN member USING (patient_id)),
card AS (
    SELECT 1 AS place, 'Patients in the cohort' AS label, (count(*) FILTER (WHERE included))::VARCHAR AS value,
        CASE WHEN bool_or(included) THEN 'of ' || count(*) || '; steps and losses are in the next section'
            ELSE 'of ' || count(*) || '; why nobody is, says the next section' END AS detail
    FROM cohort
    UNION ALL
    SELECT 3, 'CAR-T infusions', count(*)::VARCHAR,
        (count(*) FILTER (WHERE product = 'axicabtagene_ciloleucel'))::VARCHAR || ' axi-cel, '
        || (count(*) FILTER (WHERE product = 'tisagenlecleucel'))::VARCHAR || ' tisa-cel'
        || CASE WHEN count(*) > count(*) FILTER (WHERE product IN ('axicabtagene_ciloleucel', 'tisagenlecleucel'))
            THEN ', ' || count(*) FILTER (WHERE product NOT IN ('axicabtagene_ciloleucel', 'tisagenlecleucel')) || ' other'
            ELSE '' END
    FROM infusion
    UNION ALL
    SELECT 4, 'ICANS episodes', count(*)::VARCHAR, 'in ' || (count(DISTINCT patient_id))::VARCHAR || ' patients'
    FROM icans_episode
    UNION ALL
    SELECT 5, 'CRS episodes', count(*)::VARCHAR, 'in ' || (count(DISTINCT patient_id))::VARCHAR || ' patients'
    FROM crs_episode
    UNION ALL
    -- Without a cohort there is nothing to say of it: no card, rather than 0 of 0.
    SELECT 6, 'Steroid-refractory ICANS',
        (count(DISTINCT patient_id) FILTER (WHERE status = 'refractory'))::VARCHAR || ' of '
        || (SELECT count(*) FROM member)::VARCHAR,
        'patients of the cohort have such an episode, '
        || (SELECT count(*) FROM cohort WHERE included AND refractory_before_anakinra)::VARCHAR || ' of them before anakinra; ' || (count(*) FILTER (WHERE status = 'indeterminate'))::VARCHAR
        || ' indeterminate'
    FROM refractory
    HAVING (SELECT count(*) FROM member) > 0
    UNION ALL
    SELECT 7, 'Improved after anakinra',
        (count(*) FILTER (WHERE responded))::VARCHAR || ' of ' || (count(responded))::VARCHAR,
        'ICANS or CRS lower within a day of the last dose; ' || (count(*) - count(responded))::VARCHAR || ' unknown'
    FROM response
    HAVING count(*) > 0
    UNION ALL
    SELECT 8, 'Died', (count(*) FILTER (WHERE died))::VARCHAR || ' of ' || (count(died))::VARCHAR,
        'patients of the cohort, at any time of follow-up'
    FROM fate
    HAVING count(*) > 0
)
SELECT label, value, detail FROM card ORDER BY place
