CREATE VIEW segments.lapsed AS
SELECT customer_id FROM orders WHERE customer_id IS NOT NULL
GROUP BY customer_id HAVING max(ordered_at) < now() - interval '90 days';
COMMENT ON VIEW segments.lapsed IS 'Nothing bought for 90 days';
