-- The two best products of each department.
SELECT category, name, revenue
FROM (SELECT category, name, revenue, row_number() OVER (PARTITION BY category ORDER BY revenue DESC) AS place
      FROM (SELECT p.category, p.name, sum(l.quantity * l.price) AS revenue
            FROM shop.order_lines l JOIN shop.products p USING (product_id) GROUP BY 1, 2) AS sold) AS ranked
WHERE place <= 2 ORDER BY category, revenue DESC;
