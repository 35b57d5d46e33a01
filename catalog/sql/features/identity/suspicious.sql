-- view identity.suspicious 14042
-- customers that may be more than one person, and why
-- customer_id int8: the customer
-- reason text: conflicting birth_date, conflicting gender, too many <namespace>, or held together by one identifier
-- detail text: the values in conflict, their number, or the namespace of the identifier
-- records int8: how many records the customer has
WITH records AS (
  SELECT customer_id, count(*) AS records FROM identity.records
   WHERE customer_id IS NOT NULL GROUP BY customer_id
), conflicts AS (
  SELECT customer_id, 'conflicting ' || attribute AS reason,
         string_agg(value, ', ' ORDER BY value) AS detail
    FROM (SELECT DISTINCT customer_id, attribute,
                 CASE attribute WHEN 'gender' THEN normalize_gender(value) ELSE value END AS value
            FROM customers.attributes WHERE attribute IN ('birth_date', 'gender')) AS said
   GROUP BY customer_id, attribute HAVING count(*) > 1
), many AS (
  SELECT n.customer_id, 'too many ' || t.typname::text AS reason,
         count(DISTINCT n.value)::text AS detail
    FROM identity.nodes AS n JOIN pg_catalog.pg_type AS t ON t.oid = n.namespace
   WHERE n.customer_id IS NOT NULL
   GROUP BY n.customer_id, t.typname HAVING count(DISTINCT n.value) > 10
), bridges AS (
  -- What names the count is not asked of every record before they are counted.
  SELECT customer_id, 'held together by one identifier' AS reason,
         CASE WHEN records >= 6 THEN identity.bridge(customer_id) END AS detail
    FROM records WHERE records >= 6
)
SELECT found.customer_id, found.reason, found.detail, coalesce(r.records, 0) AS records
  FROM (SELECT customer_id, reason, detail FROM conflicts
        UNION ALL SELECT customer_id, reason, detail FROM many
        UNION ALL SELECT customer_id, reason, detail FROM bridges WHERE detail IS NOT NULL) AS found
  LEFT JOIN records AS r ON r.customer_id = found.customer_id
