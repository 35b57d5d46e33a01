-- view customers.households 14108
-- people who live together, after customers.household_rules; one row per household
-- household_id int8: the smallest customer_id of its people
-- member_count int8: how many people
-- family_names text[]: their family names
-- street_address text: their street address, in the spelling of the smallest customer_id
-- postcode text: their postcode
SELECT household_id, count(*) AS member_count,
       array_agg(DISTINCT family_name ORDER BY family_name) FILTER (WHERE family_name IS NOT NULL) AS family_names,
       max(street_address) FILTER (WHERE customer_id = household_id) AS street_address,
       max(postcode) FILTER (WHERE customer_id = household_id) AS postcode
FROM customers.household_members
GROUP BY household_id
