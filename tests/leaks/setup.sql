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
