CREATE VIEW segments.champions AS
SELECT customer_id FROM segments.rfm WHERE name = 'champions';
COMMENT ON VIEW segments.champions IS 'Bought lately and buy often';
