-- view identity.identifiers 14020
-- every identifier that was seen, the customer that it belongs to, and whether it stitches
-- namespace text: the domain of the column that it stood in
-- value text: the value, normalised
-- customer_id int8: the customer; NULL for nobody's, or for an identifier of companies
-- account_id int8: the company
-- status text: open, blocked (it is on the list of identity.blocked_values) or quarantined (it was seen with too many others)
-- degree int8: with how many identifiers of one namespace it was seen
-- source text: the table in which it was seen first
-- first_seen_at timestamptz: when it was seen first
SELECT coalesce(t.typname::text, n.namespace::text) AS namespace, n.value, n.customer_id, n.account_id,
       identity.identifier_status(n.namespace, n.value) AS status,
       identity.identifier_degree(n.namespace, n.value) AS degree,
       n.source::regclass::text AS source, n.seen_at AS first_seen_at
  FROM identity.nodes AS n LEFT JOIN pg_catalog.pg_type AS t ON t.oid = n.namespace
