-- Segment: has bought, but not in the last 90 days.
SELECT count(*) AS customers
FROM (SELECT email FROM shop.orders WHERE email IS NOT NULL
      GROUP BY email HAVING max(ordered_at) < timestamptz '2026-11-01 00:00+00' - interval '90 days') AS lapsed
