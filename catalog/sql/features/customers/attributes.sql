-- view customers.attributes 14102
-- every value that a customer's rows have, where it comes from, and which one the profile shows
-- customer_id int8: the customer
-- attribute text: the column of customers.profiles
-- value text~: the value; of identifiers as it is compared, of attributes as it was written
-- source text: the table that has it; NULL for a value that was pinned
-- first_seen_at timestamptz: time of the first row with it
-- last_seen_at timestamptz: time of the last row with it
-- row_count int8: how many rows have it
-- chosen bool: whether the profile shows this value
-- rule text: by which rule it was chosen: pinned, source_priority, most_recent, most_frequent, longest, first, value, not_blocked (the others are in identity.blocked_values), or only_value
SELECT customer_id, attribute, value, source, first_seen_at, last_seen_at, row_count, chosen, rule
FROM customers.attribute_values('person')
