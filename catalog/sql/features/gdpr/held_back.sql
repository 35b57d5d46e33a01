-- view gdpr.held_back 14303
-- how many rows of people who were erased were kept out, by table and day
-- table_name text: the table
-- day date: when
-- row_count int8: how many rows
SELECT relation::regclass::text AS table_name, day, sum(row_count)::int8 AS row_count
  FROM gdpr.held_back_rows GROUP BY relation, day
