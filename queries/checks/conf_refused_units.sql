/*
title: Units can be converted to the concept's
meaning: >-
  A unit that is unknown, or of another quantity, is refused and never guessed; the concept or a mapping can declare the factor.
category: value conformance
severity: warning
of: rows with a unit
asked: |-
  SELECT (SELECT count(*) FROM meta.event WHERE source_unit IS NOT NULL)
      + (SELECT count(*) FROM meta.rejected WHERE starts_with(reason, 'unit '))
*/
SELECT source_file, reason, count(*) AS rows
FROM meta.rejected
WHERE starts_with(reason, 'unit ')
GROUP BY source_file, reason
ORDER BY rows DESC, source_file, reason
