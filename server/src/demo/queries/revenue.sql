-- Revenue by month, and how much of it the web shop brings.
SELECT date_trunc('month', ordered_at)::date AS month, count(*) AS orders, sum(total) AS revenue,
  round(100 * sum(CASE WHEN store = 'online' THEN total ELSE 0 END) / sum(total), 1) AS online_percent
FROM shop.orders GROUP BY 1 ORDER BY 1;
