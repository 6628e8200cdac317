WITH "rows__base" AS (
  -- Fevers from the infusion on
  SELECT r.patient_id,
    r.number AS key__,
    r."time",
    r."value",
    r."fever",
    r.evidence AS evidence__,
    index."time" AS index__time
  FROM "temperature_reading" AS r
  LEFT JOIN "infusion" AS index ON index.patient_id = r.patient_id
),
"rows__where" AS (
  SELECT *
  FROM rows__base
  WHERE fever AND ("time" >= index__time)
),
"rows__1" AS (
  SELECT *, "value" AS "value__new"
  FROM rows__where
),
"rows__evidence" AS (
  SELECT *, coalesce(evidence__, CAST([] AS UBIGINT[])) AS ids__
  FROM rows__1
)
SELECT r.patient_id,
  CAST(row_number() OVER (PARTITION BY r.patient_id ORDER BY r."time" NULLS FIRST, r.ids__, r."key__") AS INTEGER) AS number,
  r.time,
  CAST(CAST(r.time AS DATE) - CAST(day__.time AS DATE) AS INTEGER) AS day,
  r."value__new" AS "value",
  r.ids__ AS evidence
FROM rows__evidence AS r
LEFT JOIN "infusion" AS day__ ON day__.patient_id = r.patient_id
ORDER BY patient_id, number
