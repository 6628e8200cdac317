/*
title: Hospital stays do not overlap
meaning: >-
  A stay that begins before an earlier one of the patient has ended: a transfer written as a stay, or two patients under one id.
category: temporal plausibility
severity: warning
of: stays
asked: |-
  SELECT count(*) FROM meta.event WHERE concept = 'hospitalization' AND end_time > time
*/
WITH stay AS (
    SELECT patient_id, event_id, source_file, source_row, time, end_time,
        max(end_time) OVER (
            PARTITION BY patient_id ORDER BY time, end_time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS earlier_end
    FROM meta.event
    WHERE concept = 'hospitalization' AND end_time > time
)
SELECT patient_id, event_id, source_file, source_row, time, end_time
FROM stay
WHERE time < earlier_end
ORDER BY event_id
