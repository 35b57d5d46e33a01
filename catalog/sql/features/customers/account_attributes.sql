-- view customers.account_attributes 14109
-- every value that a company's rows have, where it comes from, and which one customers.accounts shows
-- account_id int8: the company
-- attribute text: the column of customers.accounts
-- value text~: the value; of identifiers as it is compared, of attributes as it was written
-- source text: the table that has it
-- first_seen_at timestamptz: time of the first row with it
-- last_seen_at timestamptz: time of the last row with it
-- row_count int8: how many rows have it
-- chosen bool: whether customers.accounts shows this value
-- rule text: by which rule it was chosen: source_priority, most_recent, most_frequent, longest, first, value, not_blocked (the others are in identity.blocked_values), or only_value
SELECT account_id, attribute, value, source, first_seen_at, last_seen_at, row_count, chosen, rule
FROM customers.attribute_values('company')
