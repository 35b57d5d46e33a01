-- view identity.near_limits 14041
-- identifiers that were seen with 80 % or more of what the fan-out of their namespace allows
-- namespace text: the domain of the column that it stood in
-- value text: the value, normalised
-- customer_id int8: the customer
-- account_id int8: the company
-- status text: open, blocked or quarantined
-- degree int8: with how many identifiers of one namespace it was seen
-- max_fan_out int8: with how many it may be seen before it stitches nothing
SELECT i.namespace, i.value, i.customer_id, i.account_id, i.status, i.degree, l.max_fan_out
  FROM identity.identifiers AS i
  JOIN (SELECT namespace, identity.max_fan_out(namespace) AS max_fan_out
          FROM (SELECT DISTINCT namespace FROM identity.identifiers) AS n) AS l
    ON l.namespace = i.namespace
 WHERE 5 * i.degree >= 4 * l.max_fan_out
