-- view membership.history 14212
-- since when and until when customers were in materialized segments; after a merge a customer has the intervals of both
-- segment text: the view in schema segments
-- customer_id int8: the customer
-- account_id int8: the company, in segments of companies
-- entered_at timestamptz: when it came in
-- left_at timestamptz: when it left; NULL: it is a member
-- definition_version int4: the definition by which it came in, see membership.definitions
-- run int8: the run that it came in with, see membership.runs
-- left_run int8: the run that it left with
SELECT segment, customer_id, account_id, entered_at, left_at, definition_version, entered_run AS run, left_run
  FROM membership.intervals
 WHERE customer_id IS NOT NULL OR account_id IS NOT NULL
