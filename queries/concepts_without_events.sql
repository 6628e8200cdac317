/*
title: Concepts that no event has
question: Which concepts that the rule set knows does this extract say nothing about?
reads: [concept, concept_code, event]
returns:
  concept: the concept
  title: in words
  codes: {meaning: codes that would map to it, unit: "1"}
section: quality
order: 35
empty: Every concept has events.
*/
SELECT c.concept, c.title, (SELECT count(*) FROM concept_code AS k WHERE k.concept = c.concept) AS codes
FROM concept AS c
-- A group has no events of its own; its members have.
WHERE len(c.members) = 0
    AND NOT EXISTS (SELECT 1 FROM event AS e WHERE e.concept = c.concept)
ORDER BY c.concept
