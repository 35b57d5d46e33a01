-- Orders of new and of returning customers, month by month.
WITH firsts AS (SELECT email, min(ordered_at) AS first_at FROM shop.orders WHERE email IS NOT NULL GROUP BY email)
SELECT date_trunc('month', o.ordered_at) AS month, o.ordered_at > f.first_at AS returning_customer,
  count(*) AS orders, sum(o.total) AS revenue
FROM shop.orders o JOIN firsts f ON f.email = o.email GROUP BY 1, 2 ORDER BY 1, 2
