-- The planted people. Run by `admin` in a database of its own; {names} are those of `values.txt`.
CREATE ROLE leaks_owner LOGIN PASSWORD 'secret';
CREATE ROLE leaks_analyst LOGIN PASSWORD 'secret';
GRANT pg_read_all_stats TO leaks_analyst;
CREATE DOMAIN crm_id AS customer_key;
CREATE SCHEMA crm;
GRANT USAGE, CREATE ON SCHEMA crm, public TO leaks_owner, leaks_analyst;

CREATE TABLE crm.contacts (contact_id crm_id PRIMARY KEY, email email UNIQUE, mobile phone, first_name given_name,
  last_name family_name, born birth_date, zip postcode, town city, ip ip_address, place geo_point, note text,
  details jsonb, raw bytea, tags text[], visits int, since timestamptz, vip boolean DEFAULT false);
INSERT INTO crm.contacts VALUES
  ('{crm}', '{email}', '{phone}', '{given}', '{family}', '{born}', '{zip}', '{city}', '{ip}', '{place}', '{note}',
   '{"iban": "{iban}"}', '{note}', ARRAY['{tag}'], 7, '2026-01-01 00:00+00', true),
  ('CRM0001', 'other@plain.example', '+33611111111', 'Ann', 'Other', '1990-05-05', '75001', 'Paris', '192.0.2.1',
   '48.85,2.35', 'nothing', '{"iban": "none"}', 'nothing', ARRAY['none'], 3, '2026-02-01 00:00+00', false);

CREATE TABLE crm.orders (order_id text PRIMARY KEY, email email, card loyalty_card, contact_id crm_id REFERENCES crm.contacts,
  store text, total numeric(12,2), ordered_at timestamptz);
INSERT INTO crm.orders VALUES ('o1', '{email}', '{card}', '{crm}', '{store}', 10, '2026-01-05 00:00+00'),
  ('o2', '{email}', NULL, '{crm}', 'Lyon', 20, '2026-01-06 00:00+00'),
  ('o3', 'other@plain.example', 'LC00000001', 'CRM0001', 'Nice', 5, '2026-01-07 00:00+00');
CREATE TABLE crm.files (file_id int PRIMARY KEY, contact_id crm_id, content text);
INSERT INTO crm.files SELECT g, '{crm}', '{note}' FROM generate_series(1, 2000) g;
CREATE TABLE products (product_id text PRIMARY KEY, name text);
INSERT INTO products VALUES ('p1', 'Tea');
CALL clientele.flush();

CREATE VIEW crm.shown AS SELECT contact_id, upper(email) AS mail, left(note, 5) AS beginning, born, visits FROM crm.contacts;
CREATE VIEW crm.twice AS SELECT mail || '!' AS mail, beginning FROM crm.shown;
CREATE VIEW crm.only_jane AS SELECT visits FROM crm.contacts WHERE email = '{email}';
CREATE MATERIALIZED VIEW crm.kept AS SELECT contact_id, email, upper(email) AS mail, born, extract(year FROM born) AS year,
  length(note) AS size, note || '.' AS text, details ->> 'iban' AS iban, count(*) AS n, max(first_name) AS given
  FROM crm.contacts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
CREATE TABLE crm.copied AS SELECT email, lower(first_name) AS given, CASE WHEN town = '{city}' THEN 'here' END AS here FROM crm.contacts;
CREATE MATERIALIZED VIEW crm.joined AS WITH c AS (SELECT email AS mail, note FROM crm.contacts)
  SELECT o.order_id, c.mail, c.note, string_agg(c.note, ',') OVER () AS notes FROM crm.orders o JOIN c ON c.mail = o.email
  UNION ALL SELECT 'x', (SELECT max(last_name) FROM crm.contacts), NULL, NULL;
CREATE VIEW crm.over_kept AS SELECT mail, text FROM crm.kept;

GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES ON ALL TABLES IN SCHEMA crm TO leaks_analyst;
GRANT SELECT ON crm.kept, crm.joined TO leaks_analyst;
GRANT USAGE ON SCHEMA customers, identity, gdpr TO leaks_analyst, leaks_owner;
GRANT SELECT ON customers.profiles, customers.attributes, customers.household_members, customers.households,
  customers.pinned_values, identity.nodes, identity.identifiers, identity.records, identity.links, identity.merges,
  identity.suspicious, identity.near_limits, gdpr.columns TO leaks_analyst;
ALTER TABLE crm.contacts OWNER TO leaks_owner;
ALTER TABLE crm.orders OWNER TO leaks_owner;
ALTER TABLE crm.copied OWNER TO leaks_owner;
ALTER MATERIALIZED VIEW crm.kept OWNER TO leaks_owner;

-- What the owner has made before others write rows.
CREATE TABLE crm.traps (email email, n int UNIQUE, trap int GENERATED ALWAYS AS ((CASE WHEN n = 0 THEN email::text ELSE '1' END)::int) STORED,
  CHECK ((CASE WHEN n < 0 THEN email::text ELSE '1' END)::int = 1));
CREATE UNIQUE INDEX ON crm.traps (((CASE WHEN n = 2 THEN email::text ELSE '1' END)::int));
INSERT INTO crm.traps (email, n) VALUES ('{email}', 1);
ALTER TABLE crm.traps OWNER TO leaks_owner;

CREATE FUNCTION crm.notes() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT note FROM crm.contacts';
CREATE FUNCTION crm.known(text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM crm.contacts WHERE email = $1';

-- What features keep of people.
GRANT USAGE, CREATE ON SCHEMA segments TO leaks_analyst, leaks_owner;
GRANT USAGE ON SCHEMA membership, consent TO leaks_analyst, leaks_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA membership TO leaks_analyst, leaks_owner;
GRANT SELECT ON identity.cluster_sizes, identity.quality, identity.candidates, identity.candidate_pairs, identity.models, identity.model_levels, identity.splits, identity.rules, identity.rule_changes, identity.blocked_values, identity.candidate_decisions TO leaks_analyst;
GRANT SELECT ON customers.account_members, customers.accounts, customers.survivorship, customers.household_rules TO leaks_analyst;
GRANT SELECT, INSERT ON consent.events TO leaks_analyst; GRANT SELECT ON consent.current, consent.purposes, consent.coverage, consent.purpose_declarations TO leaks_analyst;
GRANT SELECT ON gdpr.register, gdpr.requests, gdpr.erasures, gdpr.receipts, gdpr.restrictions, gdpr.objections, gdpr.holds, gdpr.tombstones, gdpr.held_back, gdpr.due, gdpr.acts, gdpr.retention, gdpr.asked, gdpr.audit, gdpr.signed_receipts TO leaks_analyst;
GRANT INSERT, SELECT ON public.products TO leaks_analyst;
SET clientele.reason='x'; CALL consent.declare_purpose('newsletter', columns => ARRAY['crm.contacts.visits']);
CALL consent.record('email:{email}', 'newsletter', channel => 'web', evidence => 'mail of {email}', source => 'crm');
CALL gdpr.receive('access', 'email:{email}');
CALL gdpr.hold('crm.orders', ARRAY['total'], 'tax', subject => 'email:{email}');
CALL gdpr.object('email:{email}', 'newsletter');
CALL customers.pin(1, 'given_name', '{given}', 'asked by {given}');
CALL identity.split('email:{email}', 'loyalty_card:{card}', reason => 'card of {given}'); CALL identity.unlink('email:{email}', 'loyalty_card:{card}');
CALL identity.block_value('email', 'noreply@plain.example');
CREATE MATERIALIZED VIEW segments.vip AS SELECT customer_id FROM crm.orders GROUP BY 1 HAVING sum(total) > 10;
GRANT SELECT ON segments.vip TO leaks_analyst;
