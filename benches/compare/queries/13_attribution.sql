-- First and last source of the visits of browsers that bought in October.
WITH buyers AS (SELECT DISTINCT device FROM web.events
                WHERE event = 'purchase' AND occurred_at >= timestamptz '2026-10-01 00:00+00'),
visits AS (
  SELECT e.device, e.properties ->> 'source' AS source,
    row_number() OVER (PARTITION BY e.device ORDER BY e.occurred_at) AS from_first,
    row_number() OVER (PARTITION BY e.device ORDER BY e.occurred_at DESC) AS from_last
  FROM web.events e JOIN buyers b ON b.device = e.device
  WHERE e.event = 'visit' AND e.occurred_at >= timestamptz '2026-09-01 00:00+00')
SELECT source, count(CASE WHEN from_first = 1 THEN 1 END) AS first, count(CASE WHEN from_last = 1 THEN 1 END) AS last
FROM visits GROUP BY 1 ORDER BY 1
