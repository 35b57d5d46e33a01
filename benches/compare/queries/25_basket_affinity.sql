-- Pairs of products in one basket, in the last month.
WITH recent AS (SELECT l.order_id, l.product_id FROM shop.order_lines l JOIN shop.orders o ON o.order_id = l.order_id
                WHERE o.ordered_at >= timestamptz '2026-10-01 00:00+00')
SELECT a.product_id, b.product_id AS other, count(*) AS baskets
FROM recent a JOIN recent b ON b.order_id = a.order_id AND a.product_id < b.product_id
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50
