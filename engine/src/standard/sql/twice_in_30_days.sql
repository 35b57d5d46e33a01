CREATE VIEW segments.twice_in_30_days AS
SELECT customer_id FROM orders WHERE customer_id IS NOT NULL
GROUP BY customer_id HAVING recurs_within(ordered_at, interval '30 days');
COMMENT ON VIEW segments.twice_in_30_days IS 'Bought twice within 30 days at some time';
