/*
title: No day is a copy of another
meaning: >-
  All that happened on a patient's day, at the same clock times with the same values, a day, a month or a year earlier: one of the two is shifted by a mistake.
category: uniqueness
severity: warning
of: patients' days
asked: |-
  SELECT count(*) FROM (SELECT DISTINCT patient_id, CAST(time AS DATE) FROM meta.event WHERE time IS NOT NULL AND NOT date_only)
*/
WITH day AS (
    SELECT patient_id, CAST(time AS DATE) AS day, count(*) AS events,
        bit_xor(hash(code, source_value, source_unit, text, route, CAST(time AS TIME))) AS content
    FROM meta.event
    WHERE time IS NOT NULL AND NOT date_only
    GROUP BY patient_id, CAST(time AS DATE)
    -- Fewer may be alike by chance: the same dose at the same hour.
    HAVING count(DISTINCT code) >= 5 AND count(value) >= 5
)
SELECT b.patient_id, b.day, a.day AS same_as, b.events
FROM day AS a
JOIN day AS b ON b.patient_id = a.patient_id AND b.content = a.content AND b.events = a.events
    AND b.day IN (a.day + 1, CAST(a.day + INTERVAL 1 MONTH AS DATE), CAST(a.day + INTERVAL 1 YEAR AS DATE))
ORDER BY b.patient_id, b.day, a.day
