-- Customers by month of the first order, and in how many of the following months they order.
WITH months AS (SELECT DISTINCT email, date_trunc('month', ordered_at) AS month FROM shop.orders WHERE email IS NOT NULL),
cohorts AS (SELECT email, min(month) AS cohort FROM months GROUP BY email)
SELECT c.cohort, m.month, count(*) AS customers
FROM months m JOIN cohorts c ON c.email = m.email GROUP BY 1, 2 ORDER BY 1, 2
