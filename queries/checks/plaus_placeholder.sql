/*
title: Dates are not those that stand for none
meaning: >-
  The first day that a spreadsheet, a database or a computer's clock can count from, written where a date was not known.
category: temporal plausibility
severity: warning
of: times
asked: |-
  SELECT count(*) FROM meta.event WHERE time IS NOT NULL
*/
SELECT patient_id, event_id, source_file, source_row, time, code
FROM meta.event
-- SQL Server's first DATETIME, the days 0 and 1 of spreadsheets and of SQL Server's numbers, the epoch of Unix.
WHERE CAST(time AS DATE) IN (DATE '1753-01-01', DATE '1899-12-30', DATE '1899-12-31', DATE '1900-01-01', DATE '1970-01-01')
ORDER BY event_id
