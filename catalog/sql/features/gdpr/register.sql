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
SELECT c.table_name, 'customers' AS persons, c.category, c.columns, c.special, p.purposes, p.legal_basis,
       coalesce(p.origin, 'the person') AS origin, p.recipients, p.transfers, p.keep_for::text AS retention,
       'privileges by column, erasure with proof, holds, tombstones, signed receipts' AS measures
  FROM gdpr.categories() AS c
  LEFT JOIN (SELECT DISTINCT ON (table_name) * FROM gdpr.processing ORDER BY table_name, declared_at DESC) AS p
    ON p.table_name = c.table_name
