-- How the best customers' departments differ from everybody's.
WITH spent AS (
  SELECT o.email, p.category, sum(l.quantity * l.price) AS amount
  FROM shop.orders o JOIN shop.order_lines l ON l.order_id = o.order_id JOIN shop.products p ON p.product_id = l.product_id
  WHERE o.email IS NOT NULL GROUP BY o.email, p.category),
best AS (SELECT email FROM spent GROUP BY email HAVING sum(amount) > 800)
SELECT s.category, count(*) AS customers, count(b.email) AS best_customers,
  round(avg(CASE WHEN b.email IS NOT NULL THEN s.amount END), 2) AS best_amount, round(avg(s.amount), 2) AS amount
FROM spent s LEFT JOIN best b ON b.email = s.email GROUP BY 1 ORDER BY 1
