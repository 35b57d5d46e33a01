CREATE VIEW segments.big_spenders AS
SELECT spent.customer_id FROM
  (SELECT customer_id, ntile(10) OVER (ORDER BY sum(total) DESC, customer_id) AS tenth FROM orders
   WHERE customer_id IS NOT NULL AND ordered_at >= now() - interval '1 year' GROUP BY customer_id) AS spent
WHERE spent.tenth = 1;
COMMENT ON VIEW segments.big_spenders IS 'The tenth that spent most within a year';
