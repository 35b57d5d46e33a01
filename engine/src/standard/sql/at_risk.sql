CREATE VIEW segments.at_risk AS
SELECT customer_id FROM segments.rfm WHERE name = 'at risk';
COMMENT ON VIEW segments.at_risk IS 'Bought often, but not for long';
