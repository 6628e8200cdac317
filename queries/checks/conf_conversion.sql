/*
title: Converted values are the source's values times the factor
meaning: >-
  Each value is computed again from what the source wrote and from the factor in meta.code.
category: computational conformance
severity: error
of: converted values
asked: |-
  SELECT count(*) FROM meta.event WHERE value IS NOT NULL AND source_unit IS NOT NULL AND unit IS NOT NULL
      AND source_unit <> unit
*/
WITH code AS (
    SELECT s.source_file, c.code, c.source_unit, c.factor, c."offset"
    FROM meta.source AS s
    JOIN meta.code AS c ON c.mapping = coalesce(s.mapping, '')
    WHERE c.concept IS NOT NULL
)
SELECT e.patient_id, e.event_id, e.source_file, e.source_row, e.concept, e.source_unit, e.unit
FROM meta.event AS e
JOIN code AS c ON c.source_file = e.source_file AND c.code = e.code AND c.source_unit = e.source_unit
WHERE e.value IS NOT NULL AND e.source_unit <> e.unit
    AND abs(e.value - (TRY_CAST(ltrim(e.source_value, '<>=≤≥ ') AS DOUBLE) * c.factor + c."offset"))
        > 1e-6 * greatest(1, abs(e.value))
ORDER BY e.event_id
