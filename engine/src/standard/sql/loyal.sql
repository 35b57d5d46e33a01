CREATE VIEW segments.loyal AS
SELECT customer_id FROM segments.rfm WHERE name = 'loyal';
COMMENT ON VIEW segments.loyal IS 'Buy often, and not long ago';
