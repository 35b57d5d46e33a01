CREATE VIEW segments.mail_readers AS
SELECT customer_id FROM sends
WHERE customer_id IS NOT NULL AND opened_at IS NOT NULL AND sent_at >= now() - interval '90 days'
GROUP BY customer_id HAVING count(*) >= 3;
COMMENT ON VIEW segments.mail_readers IS 'Opened three letters or more within 90 days';
