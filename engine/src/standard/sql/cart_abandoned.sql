CREATE VIEW segments.cart_abandoned AS
SELECT customer_id FROM events
WHERE customer_id IS NOT NULL AND occurred_at >= now() - interval '7 days' AND event IN ('add_to_cart', 'purchase')
GROUP BY customer_id HAVING latest_by(event, occurred_at) = 'add_to_cart';
COMMENT ON VIEW segments.cart_abandoned IS 'Put something into the cart within 7 days and bought nothing after it';
