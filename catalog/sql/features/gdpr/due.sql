-- view gdpr.due 14316
-- customers whose last act is older than a rule of retention allows
-- customer_id int8: the customer
-- purpose text: the rule
-- last_act_at timestamptz: the last row of the customer in a table that counts
-- due_at timestamptz: since when it is due
-- action text: erase, archive or ask
SELECT a.customer_id, r.purpose, max(a.last_seen_at) AS last_act_at, max(a.last_seen_at + r.keep_for) AS due_at, r.action
  FROM customers.attributes AS a CROSS JOIN gdpr.retention AS r
 WHERE a.source IS NOT NULL AND (r.anchors IS NULL OR a.source = ANY (r.anchors))
 GROUP BY a.customer_id, r.purpose, r.action
HAVING max(a.last_seen_at + r.keep_for) < now()
