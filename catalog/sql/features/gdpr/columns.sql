-- view gdpr.columns 14340
-- every column that holds personal data: its category, what it shows, and to whom it is open; CALL gdpr.classify(...) changes it
-- table_name text: the table, with its schema
-- column_name text: the column
-- data_type text: its domain or type
-- category text: kind of personal data, as in a record of processing (GDPR art. 30)
-- treatment text: what it shows to those it is not open to: pseudonym, generalise, null, or open
-- origin text: what the treatment follows from: domain, unclassified text, derived from other columns, or a decision
-- decided_by text: the role that decided it
-- decided_at timestamptz: when
-- reason text: why
-- opened_to text[]: the roles that see its values; superusers always do
-- opened_by text[]: who opened it to each of them
-- opened_at timestamptz[]: when
-- opened_for text[]: why
SELECT table_name, column_name, data_type, category, treatment, origin, decided_by, decided_at, reason,
       opened_to, opened_by, opened_at, opened_for
  FROM gdpr.column_treatments()
