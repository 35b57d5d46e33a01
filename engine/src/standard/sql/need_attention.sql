CREATE VIEW segments.need_attention AS
SELECT customer_id FROM segments.rfm WHERE name = 'need attention';
COMMENT ON VIEW segments.need_attention IS 'In the middle, and slipping';
