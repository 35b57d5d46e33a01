-- view identity.merges 14022
-- every merge of customers and accounts, in the order in which they came
-- happened_at timestamptz: when
-- subject text: person or company
-- survivor_id int8: the customer that stays, the older one
-- absorbed_id int8: the customer that went into it
-- cause text: the record, identifier or end of a link that brought it about
-- source text: the table in which the cause was seen
SELECT happened_at, subject, customer_id AS survivor_id, other_customer_id AS absorbed_id, cause, source
  FROM identity.events() WHERE event = 'merge'
