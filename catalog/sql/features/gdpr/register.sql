-- view gdpr.register 14313
-- the record of processing activities (GDPR art. 30), from the definitions of tables and what CALL gdpr.declare(...) said
-- table_name text: the table
-- persons text: categories of persons
-- category text: kind of personal data
-- columns text: the columns that have them
-- special bool: special category (GDPR art. 9)
-- purposes text[]: what for; NULL: nobody has declared it
-- legal_basis text: GDPR art. 6
-- origin text: where the data come from
-- recipients text[]: who gets them
-- transfers text: to which country outside the EU, and under which safeguard
-- retention text: for how long after the last act of the person
-- measures text: what protects them
-- controller text: who decides about purposes and means, and how to reach them: ALTER DATABASE … SET clientele.controller = '…'
-- dpo text: how to reach the data protection officer: ALTER DATABASE … SET clientele.dpo = '…'
-- declared_at timestamptz: when the processing was declared first
-- updated_at timestamptz: when it was declared last
SELECT c.table_name, coalesce(array_to_string(p.persons, ', '), 'customers') AS persons, c.category, c.columns, c.special, p.purposes,
       p.legal_basis, coalesce(p.origin, 'the person') AS origin, p.recipients, p.transfers, p.keep_for::text AS retention,
       'columns closed by default and opened by name, log of reads and decisions, purposes, TLS, backups, erasure with signed receipts' AS measures,
       nullif(current_setting('clientele.controller'), '') AS controller, nullif(current_setting('clientele.dpo'), '') AS dpo,
       f.declared_at, p.declared_at AS updated_at
  FROM gdpr.categories() AS c
  LEFT JOIN (SELECT DISTINCT ON (declared) *
               FROM (SELECT coalesce(relation, to_regclass(table_name)::oid)::int8 AS declared, purposes, legal_basis, origin, recipients,
                            transfers, keep_for, persons, declared_at FROM gdpr.processing) AS q
              ORDER BY declared, declared_at DESC) AS p ON p.declared = c.relation
  LEFT JOIN (SELECT coalesce(relation, to_regclass(table_name)::oid)::int8 AS declared, min(declared_at) AS declared_at
               FROM gdpr.processing GROUP BY 1) AS f ON f.declared = c.relation
