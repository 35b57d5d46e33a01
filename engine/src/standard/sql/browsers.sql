CREATE VIEW segments.browsers AS
SELECT customer_id FROM events WHERE customer_id IS NOT NULL AND occurred_at >= now() - interval '30 days'
GROUP BY customer_id HAVING session_count(occurred_at, interval '30 minutes') >= 3
  AND count(*) FILTER (WHERE event = 'purchase') = 0;
COMMENT ON VIEW segments.browsers IS 'Came three times or more within 30 days and bought nothing';
