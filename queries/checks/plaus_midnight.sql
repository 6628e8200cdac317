/*
title: Times at midnight are midnight
meaning: >-
  Of what is timed at 00:00 more often than not: these are bare dates written with a clock. A mapping can say so (`date_only`), and rows that rest on them are then told.
category: temporal plausibility
severity: note
of: times
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL AND NOT date_only
*/
SELECT source_file, coalesce(concept, code) AS concept, count(*) AS events,
    count(*) FILTER (WHERE time = CAST(time AS DATE)) AS rows
FROM meta.event
WHERE time IS NOT NULL AND NOT date_only
GROUP BY source_file, coalesce(concept, code)
-- One minute in 1,440 is midnight; half of at least ten are bare dates written with a clock.
HAVING count(*) >= 10 AND count(*) FILTER (WHERE time = CAST(time AS DATE)) > 0.5 * count(*)
ORDER BY rows DESC, source_file, 2
