/*
title: No two patients are one
meaning: >-
  All that happened on a day, at the same clock times with the same values, is under two ids: one person may have both, or rows were copied to the wrong patient.
category: uniqueness
severity: warning
of: patients' days
asked: |-
  SELECT count(*) FROM (SELECT DISTINCT patient_id, CAST(time AS DATE) FROM meta.event WHERE time IS NOT NULL AND NOT date_only)
*/
WITH day AS (
    SELECT patient_id, CAST(time AS DATE) AS day, count(*) AS events,
        bit_xor(hash(code, source_value, source_unit, text, route, time)) AS content
    FROM meta.event
    WHERE time IS NOT NULL AND NOT date_only
    GROUP BY patient_id, CAST(time AS DATE)
    -- Fewer may be alike by chance: the same dose at the same hour.
    HAVING count(DISTINCT code) >= 5 AND count(value) >= 5
)
SELECT b.patient_id, b.day, min(a.patient_id) AS same_as, any_value(b.events) AS events
FROM day AS a
JOIN day AS b ON b.content = a.content AND b.events = a.events AND b.day = a.day AND b.patient_id > a.patient_id
GROUP BY b.patient_id, b.day
ORDER BY b.patient_id, b.day
