-- view gdpr.acts 14318
-- by customer and anchor of a rule of retention: the last act of the person, and since when rows are kept
-- customer_id int8: the customer
-- anchor text: which rows are acts, as gdpr.retention says it
-- last_act_at timestamptz: the last act; NULL: none
-- first_seen_at timestamptz: the first row of the customer in the table, act or not
SELECT customer_id, anchor, last_act_at, first_seen_at
FROM gdpr.acts_of_customers()
