-- Segment: has bought in the best department, never in the second one.
WITH ranked AS (
  SELECT p.category, row_number() OVER (ORDER BY count(*) DESC, p.category) AS place
  FROM shop.order_lines l JOIN shop.products p ON p.product_id = l.product_id GROUP BY p.category),
bought AS (
  SELECT DISTINCT o.email, r.place
  FROM shop.orders o JOIN shop.order_lines l ON l.order_id = o.order_id
    JOIN shop.products p ON p.product_id = l.product_id JOIN ranked r ON r.category = p.category
  WHERE o.email IS NOT NULL AND r.place <= 2)
SELECT count(*) AS customers
FROM (SELECT email FROM bought WHERE place = 1 EXCEPT SELECT email FROM bought WHERE place = 2) AS segment
