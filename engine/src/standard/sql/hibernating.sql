CREATE VIEW segments.hibernating AS
SELECT customer_id FROM segments.rfm WHERE name = 'hibernating';
COMMENT ON VIEW segments.hibernating IS 'Bought seldom and long ago';
