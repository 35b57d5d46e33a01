-- view identity.splits 14023
-- every split of customers and accounts, in the order in which they came
-- happened_at timestamptz: when
-- subject text: person or company
-- customer_id int8: the customer that a part left
-- part_id int8: the part: it has the number that it had before
-- cause text: the record, identifier or end of a link that brought it about
-- source text: the table in which the cause was seen
SELECT happened_at, subject, customer_id AS customer_id, other_customer_id AS part_id, cause, source
  FROM identity.events() WHERE event = 'split'
