/*
title: Events are near a stay in hospital
meaning: >-
  More than a week before or after every stay of a patient who has stays. Care outside of the hospital is no mistake; where an extract is of stays alone, times are shifted or stays are missing.
category: temporal plausibility
severity: note
limit: 0.1
of: events of patients who have stays
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND concept IS DISTINCT FROM 'hospitalization' AND patient_id IN (
      SELECT patient_id FROM meta.event WHERE concept = 'hospitalization' AND end_time > time)
*/
WITH stay AS (
    SELECT patient_id, time, end_time FROM meta.event WHERE concept = 'hospitalization' AND end_time > time
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.time, e.code
FROM meta.event AS e
SEMI JOIN stay AS own ON own.patient_id = e.patient_id
ANTI JOIN stay AS near ON near.patient_id = e.patient_id
    -- A week, as withinVisitDates of OHDSI's DataQualityDashboard has it.
    AND e.time BETWEEN near.time - INTERVAL 7 DAY AND near.end_time + INTERVAL 7 DAY
WHERE e.time IS NOT NULL AND e.concept IS DISTINCT FROM 'hospitalization'
ORDER BY e.event_id
