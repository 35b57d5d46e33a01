CREATE VIEW segments.new_customers AS
SELECT customer_id FROM orders WHERE customer_id IS NOT NULL
GROUP BY customer_id HAVING min(ordered_at) >= now() - interval '30 days';
COMMENT ON VIEW segments.new_customers IS 'Bought for the first time within the last 30 days';
