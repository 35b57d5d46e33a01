CREATE VIEW segments.one_order AS
SELECT customer_id FROM orders WHERE customer_id IS NOT NULL GROUP BY customer_id HAVING count(*) = 1;
COMMENT ON VIEW segments.one_order IS 'Bought once';
