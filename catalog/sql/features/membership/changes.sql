-- view membership.changes 14213
-- who entered and who left materialized segments
-- segment text: the view in schema segments
-- customer_id int8: the customer
-- account_id int8: the company, in segments of companies
-- change text: entered or left
-- changed_at timestamptz: when the run began that found it
-- run int8: that run, see membership.runs
SELECT segment, customer_id, account_id, 'entered' AS change, entered_at AS changed_at, entered_run AS run
  FROM membership.intervals
 WHERE customer_id IS NOT NULL OR account_id IS NOT NULL
UNION ALL
SELECT segment, customer_id, account_id, 'left', left_at, left_run
  FROM membership.intervals
 WHERE left_at IS NOT NULL AND (customer_id IS NOT NULL OR account_id IS NOT NULL)
