/*
title: The extract
question: What is in this study?
reads: [patient, event, meta.source]
returns:
  label: what is counted
  value: the count, as it is read
  detail: what must be known about it
section: summary
order: 5
show: cards
*/
WITH seen AS (
    SELECT count(*) AS events, count(*) FILTER (WHERE concept IS NULL) AS unmapped,
        min(time) AS first_time, max(time) AS last_time
    FROM event
),
source AS (
    SELECT count(*) AS files, sum(rows_read) AS rows_read, sum(rows_duplicate) AS duplicates,
        sum(rows_rejected) AS rejected
    FROM meta.source
),
card AS (
    SELECT 1 AS place, 'Patients' AS label, format('{:,}', count(*)) AS value, 'with or without events' AS detail
    FROM patient
    UNION ALL
    SELECT 2, 'Rows read', format('{:,}', rows_read::BIGINT),
        format('of {:,} {}: {:,} duplicates, {:,} rejected', files, if(files = 1, 'file', 'files'),
            duplicates::BIGINT, rejected::BIGINT)
    FROM source
    UNION ALL
    SELECT 3, 'Events', format('{:,}', events), format('{:,} with a code that maps to no concept', unmapped)
    FROM seen
    UNION ALL
    SELECT 4, 'Time', strftime(first_time, '%Y') || ' to ' || strftime(last_time, '%Y'),
        strftime(first_time, '%Y-%m-%d') || ' to ' || strftime(last_time, '%Y-%m-%d')
    FROM seen
)
SELECT label, value, detail FROM card WHERE value IS NOT NULL ORDER BY place
