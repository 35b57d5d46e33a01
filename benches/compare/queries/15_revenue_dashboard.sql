-- Revenue by month, department and kind of shop.
SELECT date_trunc('month', o.ordered_at) AS month, p.category, o.store = 'online' AS online,
  count(DISTINCT o.order_id) AS orders, sum(l.quantity) AS pieces, sum(l.quantity * l.price) AS revenue
FROM shop.orders o JOIN shop.order_lines l ON l.order_id = o.order_id JOIN shop.products p ON p.product_id = l.product_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
