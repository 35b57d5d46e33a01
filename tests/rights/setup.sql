-- Who exists, what there is, and who was given what. Run by `admin` in a database of its own.
CREATE ROLE rights_nobody;
CREATE ROLE rights_reader;
CREATE ROLE rights_column;
CREATE ROLE rights_writer;
CREATE ROLE rights_owner;
CREATE ROLE rights_all;
CREATE ROLE rights_heir IN ROLE rights_reader;
CREATE ROLE rights_aloof NOINHERIT IN ROLE rights_reader;
GRANT pg_read_all_data TO rights_all;

CREATE SCHEMA s;
GRANT USAGE ON SCHEMA s TO rights_reader, rights_column, rights_writer, rights_owner, rights_aloof;
GRANT CREATE ON SCHEMA s TO rights_owner;

CREATE TABLE s.t (id int PRIMARY KEY, a int, b text);
INSERT INTO s.t VALUES (1, 10, 'x'), (2, 20, 'y');
ALTER TABLE s.t OWNER TO rights_owner;
GRANT SELECT ON s.t TO rights_reader;
GRANT SELECT (id, a), INSERT (id, a), UPDATE (a) ON s.t TO rights_column;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON s.t TO rights_writer;

CREATE VIEW s.v AS SELECT id, b AS renamed FROM s.t;
ALTER VIEW s.v OWNER TO rights_owner;
GRANT SELECT ON s.v TO rights_column;
CREATE VIEW s.over_v AS SELECT renamed FROM s.v;
GRANT SELECT ON s.over_v TO rights_writer;
CREATE VIEW s.invoked WITH (security_invoker = true) AS SELECT id, b FROM s.t;
GRANT SELECT ON s.invoked TO rights_column, rights_reader;
CREATE VIEW s.blind AS SELECT id FROM s.t;
ALTER VIEW s.blind OWNER TO rights_owner;

CREATE MATERIALIZED VIEW s.m AS SELECT a FROM s.t;
ALTER MATERIALIZED VIEW s.m OWNER TO rights_owner;
GRANT SELECT ON s.m TO rights_reader;

CREATE SEQUENCE s.counted;
GRANT USAGE ON SEQUENCE s.counted TO rights_writer;
GRANT SELECT ON SEQUENCE s.counted TO rights_reader;
CREATE TABLE s.numbered (n int GENERATED ALWAYS AS IDENTITY, a int);
GRANT INSERT ON s.numbered TO rights_writer;
CREATE DOMAIN s.code AS text;
CREATE INDEX by_a ON s.t (a);

CREATE TABLE s.people (mail email, town city);
INSERT INTO s.people VALUES ('ann@example.com', 'Lyon');
GRANT USAGE ON SCHEMA customers TO rights_reader, rights_column, rights_nobody, rights_aloof;
GRANT SELECT ON customers.profiles TO rights_reader;
GRANT SELECT (customer_id, city) ON customers.profiles TO rights_column;
