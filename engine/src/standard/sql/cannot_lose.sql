CREATE VIEW segments.cannot_lose AS
SELECT customer_id FROM segments.rfm WHERE name = 'cannot lose';
COMMENT ON VIEW segments.cannot_lose IS 'Among those who bought most often, and stay away';
