-- What no brand has: who is who. The matching of identities is judged by it. One identifier in a row links nothing, and
-- says whose the row is: an erasure reaches it.
CREATE SCHEMA demo_truth;
COMMENT ON SCHEMA demo_truth IS 'Who is who in the demo: what identity matching is judged by';

CREATE TABLE demo_truth.people (person_id bigint NOT NULL, contact_id crm_id, customer_number shop_id,
  card loyalty_card, email email, device device_id,
  CHECK (num_nonnulls(contact_id, customer_number, card, email, device) = 1));
COMMENT ON TABLE demo_truth.people IS 'Records with the same person_id are about one person; each row names one record';
COMMENT ON COLUMN demo_truth.people.person_id IS 'The person';
COMMENT ON COLUMN demo_truth.people.contact_id IS 'A row of crm.contacts';
COMMENT ON COLUMN demo_truth.people.customer_number IS 'A row of shop.customers';
COMMENT ON COLUMN demo_truth.people.card IS 'A row of loyalty.cards';
COMMENT ON COLUMN demo_truth.people.email IS 'A row of mail.subscribers';
COMMENT ON COLUMN demo_truth.people.device IS 'A device of web.events';
