-- Recency, frequency and monetary value, five classes each.
SELECT recency, frequency, monetary, count(*) AS customers
FROM (SELECT email,
        CASE WHEN max(ordered_at) > timestamptz '2026-10-01 00:00+00' THEN 5 WHEN max(ordered_at) > timestamptz '2026-08-01 00:00+00' THEN 4
             WHEN max(ordered_at) > timestamptz '2026-05-01 00:00+00' THEN 3 WHEN max(ordered_at) > timestamptz '2025-11-01 00:00+00' THEN 2 ELSE 1 END AS recency,
        least(count(*), 5) AS frequency,
        CASE WHEN sum(total) > 1000 THEN 5 WHEN sum(total) > 500 THEN 4 WHEN sum(total) > 250 THEN 3
             WHEN sum(total) > 100 THEN 2 ELSE 1 END AS monetary
      FROM shop.orders WHERE email IS NOT NULL GROUP BY email) AS customers
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
