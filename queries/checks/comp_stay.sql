/*
title: Stays in hospital have events
meaning: >-
  A stay of a day or more during which nothing was recorded: a part of the extract may be missing, or its times are shifted.
category: completeness
severity: note
of: stays of a day or more
asked: |-
  SELECT count(*) FROM meta.event WHERE concept = 'hospitalization' AND end_time - time >= INTERVAL 1 DAY
*/
SELECT s.patient_id, s.event_id, s.source_file, s.source_row, s.time, s.end_time
FROM meta.event AS s
WHERE s.concept = 'hospitalization' AND s.end_time - s.time >= INTERVAL 1 DAY
    AND NOT EXISTS (
        FROM meta.event AS e
        WHERE e.patient_id = s.patient_id AND e.concept IS DISTINCT FROM 'hospitalization'
            AND e.time BETWEEN s.time AND s.end_time
    )
ORDER BY s.event_id
