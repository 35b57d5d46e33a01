-- view customers.household_members 14107
-- the people of each household: golden street_address and postcode are the same, in whatever spelling, and family_name where the rule asks for it
-- household_id int8: the smallest customer_id of the household
-- customer_id int8: the customer
-- family_name text: golden family name
-- street_address text: golden street address
-- postcode text: golden postcode
WITH rule AS (
  SELECT enabled, same_family_name FROM customers.household_rules ORDER BY changed_at DESC LIMIT 1
), golden AS (
  SELECT customer_id,
         max(value) FILTER (WHERE attribute = 'family_name') AS family_name,
         max(value) FILTER (WHERE attribute = 'street_address') AS street_address,
         max(value) FILTER (WHERE attribute = 'postcode') AS postcode
  FROM customers.attributes
  WHERE chosen AND attribute IN ('family_name', 'street_address', 'postcode')
  GROUP BY customer_id
), folded AS (
  SELECT golden.*,
         normalize_address(street_address) AS street,
         normalize_postcode(postcode) AS code,
         CASE WHEN same_family_name THEN normalize_family_name(family_name) ELSE '' END AS name
  FROM golden CROSS JOIN rule
  WHERE enabled AND street_address IS NOT NULL AND postcode IS NOT NULL
    AND (family_name IS NOT NULL OR NOT same_family_name)
)
SELECT min(customer_id) OVER (PARTITION BY street, code, name) AS household_id,
       customer_id, family_name, street_address, postcode
FROM folded
