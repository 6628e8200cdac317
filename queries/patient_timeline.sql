/*
title: One patient's timeline
question: What happened to one patient, in order of time, and in which line of which file does it stand?
reads: [event, crs_grade, icans_grade, crs_episode, icans_episode, steroid_course, anakinra_window, tocilizumab_window,
  infusion]
params:
  patient: {meaning: the patient's id}
returns:
  time: when, or when it began
  end_time: when it ended, where it lasted
  day: {meaning: calendar days since the infusion, unit: d}
  kind: the lane's group
  what: concept or derived table; the source's code where it maps to no concept
  value: the number, in the concept's unit; a grade; an episode's peak
  unit: unit of the value
  text: the value's words
  source_file: the file that an event came from; empty for what a rule derived
  source_row: the row in it
  detail: value, unit and words in one text
  position: {meaning: "days since the infusion, or without one since the first event", unit: d}
  end_position: {meaning: the same for the end, unit: d}
chart:
  kind: lanes
  lane: what
  panel: kind
  element: kind
  start: position
  end: end_position
  value: value
  detail: detail
  days: false
  x: "Days since the infusion (day 0); without one, since the first event"
  most: 200
  layers:
    episodes and courses: {mark: bar, title: Episode or course, colour: sky}
    grades: {mark: graded, title: Grade, grades: [0, 1, 2, 3, 4, 5]}
    stays and infusions: {mark: bar, title: Stay or infusion}
    events: {mark: point, title: Event, shape: circle, colour: blue}
*/
WITH item AS (
    SELECT time, CASE WHEN end_time > time THEN end_time END AS end_time, day,
        CASE WHEN end_time > time THEN 'stays and infusions' WHEN time IS NULL THEN 'facts' ELSE 'events' END AS kind, coalesce(concept, code) AS what,
        value, unit, text, source_file, source_row
    FROM event WHERE patient_id = $patient
    UNION ALL
    -- A grade stands until the next one, but no longer than a day.
    SELECT time, least(time + INTERVAL 24 HOUR, lead(time) OVER (ORDER BY time, number)), day,
        'grades', 'crs_grade', grade, NULL, NULL, NULL, NULL
    FROM crs_grade WHERE patient_id = $patient
    UNION ALL
    SELECT time, least(time + INTERVAL 24 HOUR, lead(time) OVER (ORDER BY time, number)), day,
        'grades', 'icans_grade', grade, NULL, NULL, NULL, NULL
    FROM icans_grade WHERE patient_id = $patient
    UNION ALL
    SELECT start_time, end_time, start_day, 'episodes and courses', 'crs_episode', peak_grade, NULL, 'peak grade', NULL, NULL
    FROM crs_episode WHERE patient_id = $patient
    UNION ALL
    SELECT start_time, end_time, start_day, 'episodes and courses', 'icans_episode', peak_grade, NULL, 'peak grade', NULL, NULL
    FROM icans_episode WHERE patient_id = $patient
    UNION ALL
    SELECT start_time, end_time, start_day, 'episodes and courses', 'steroid_course', dexamethasone_mg, 'mg', doses || ' doses', NULL, NULL
    FROM steroid_course WHERE patient_id = $patient
    UNION ALL
    SELECT start_time, end_time, start_day, 'episodes and courses', 'anakinra_window', total_mg, 'mg', doses || ' doses', NULL, NULL
    FROM anakinra_window WHERE patient_id = $patient
    UNION ALL
    SELECT start_time, end_time, start_day, 'episodes and courses', 'tocilizumab_window', total_mg, 'mg', doses || ' doses', NULL, NULL
    FROM tocilizumab_window WHERE patient_id = $patient
),
start AS (
    SELECT coalesce((SELECT min(time) FROM infusion WHERE patient_id = $patient), (SELECT min(time) FROM item)) AS origin
)
SELECT time, end_time, day, kind, what, value, unit, text, source_file, source_row,
    concat_ws(' ', CASE WHEN value IS NOT NULL THEN printf('%g', value) END, unit, text) AS detail,
    (epoch_us(time) - epoch_us(origin)) / 86400e6 AS position,
    (epoch_us(coalesce(end_time, time)) - epoch_us(origin)) / 86400e6 AS end_position
FROM item, start
ORDER BY time, end_time, kind, what, source_file, source_row, value
