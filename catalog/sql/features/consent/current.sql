-- view consent.current 14351
-- the last word of each customer on each purpose; without a row there is no consent
-- customer_id int8: the customer
-- purpose text: what for
-- granted bool: whether the customer agrees
-- channel text: where it was said
-- text_version_hash text: hash of the text that the customer saw
-- source text: the system that sent it
-- occurred_at timestamptz: when the customer said so
-- event_id int8: the event
SELECT DISTINCT ON (customer_id, purpose)
       customer_id, purpose, granted, channel, text_version_hash, source, occurred_at, event_id
  FROM consent.events
 WHERE customer_id IS NOT NULL AND occurred_at <= now()
 ORDER BY customer_id, purpose, occurred_at DESC, event_id DESC
