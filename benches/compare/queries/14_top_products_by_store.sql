-- The five best products of each store.
SELECT store, product_id, revenue
FROM (SELECT o.store, l.product_id, sum(l.quantity * l.price) AS revenue,
        row_number() OVER (PARTITION BY o.store ORDER BY sum(l.quantity * l.price) DESC, l.product_id) AS place
      FROM shop.order_lines l JOIN shop.orders o ON o.order_id = l.order_id GROUP BY 1, 2) AS ranked
WHERE place <= 5 ORDER BY store, place
