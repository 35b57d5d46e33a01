-- view membership.current 14211
-- who is in which materialized segment, as of its last refresh
-- segment text: the view in schema segments
-- customer_id int8: the customer
-- account_id int8: the company, in segments of companies
SELECT DISTINCT segment, customer_id, account_id
  FROM membership.intervals
 WHERE segment IN (SELECT matviewname::text FROM pg_catalog.pg_matviews WHERE schemaname = 'segments')
   AND left_at IS NULL AND (customer_id IS NOT NULL OR account_id IS NOT NULL)
