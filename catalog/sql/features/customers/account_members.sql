-- view customers.account_members 14103
-- the people of each company: who stands on one row with it
-- account_id int8: the company
-- customer_id int8: the customer
-- source text: the table that has the rows
-- role text: what the customer is there, where the table has a column role, job_title or position
-- first_seen_at timestamptz: time of the first such row
-- last_seen_at timestamptz: time of the last such row
-- row_count int8: how many rows say so
SELECT account_id, customer_id, source, role, first_seen_at, last_seen_at, row_count
FROM customers.members_of_accounts()
