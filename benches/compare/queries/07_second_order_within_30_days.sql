-- Who ordered again within 30 days.
SELECT count(DISTINCT email) AS customers
FROM (SELECT email, ordered_at, lag(ordered_at) OVER (PARTITION BY email ORDER BY ordered_at) AS before
      FROM shop.orders WHERE email IS NOT NULL) AS orders
WHERE ordered_at - before <= interval '30 days'
