-- What no brand has: who is who. The matching of identities is judged by it.
CREATE SCHEMA demo_truth;
COMMENT ON SCHEMA demo_truth IS 'Who is who in the demo: what identity matching is judged by';

CREATE TABLE demo_truth.people (person_id bigint NOT NULL, source text NOT NULL, record_id text NOT NULL,
  PRIMARY KEY (source, record_id));
COMMENT ON TABLE demo_truth.people IS 'Records with the same person_id are about one person';
COMMENT ON COLUMN demo_truth.people.person_id IS 'The person';
COMMENT ON COLUMN demo_truth.people.source IS 'Table of the record';
COMMENT ON COLUMN demo_truth.people.record_id IS 'Its key there: contact, customer, card, mailbox or device';
