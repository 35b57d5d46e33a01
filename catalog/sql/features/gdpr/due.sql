-- view gdpr.due 14316
-- customers whose last act is older than a rule of retention allows; who never acted is due by the first row; CALL gdpr.apply_retention(purpose) does what is due
-- customer_id int8: the customer
-- purpose text: the rule
-- last_act_at timestamptz: the last act, as the anchors of the rule say; NULL: none
-- due_at timestamptz: since when it is due
-- action text: erase, archive or ask; erase for those who were asked a month ago and have not acted since
SELECT d.customer_id, d.purpose, d.last_act_at, d.due_at, CASE WHEN q.asked_at IS NOT NULL THEN 'erase' ELSE d.action END AS action
  FROM (SELECT a.customer_id, r.purpose, r.action, max(a.last_act_at) AS last_act_at,
               coalesce(max(a.last_act_at), min(a.first_seen_at)) + r.keep_for AS due_at
          FROM gdpr.acts AS a
          JOIN (SELECT purpose, keep_for, action, unnest(anchors) AS anchor FROM gdpr.retention) AS r ON r.anchor = a.anchor
         GROUP BY a.customer_id, r.purpose, r.action, r.keep_for) AS d
  LEFT JOIN (SELECT customer_id, purpose, max(asked_at) AS asked_at FROM gdpr.asked GROUP BY 1, 2) AS q
    ON d.action = 'ask' AND q.customer_id = d.customer_id AND q.purpose = d.purpose AND (d.last_act_at IS NULL OR q.asked_at > d.last_act_at)
 WHERE d.due_at < now()
   AND (q.asked_at IS NULL OR q.asked_at < now() - interval '1 month')
   AND NOT (d.action <> 'erase' AND EXISTS (SELECT 1 FROM gdpr.restrictions AS s
            WHERE s.customer_id = d.customer_id AND (s.restricted_until IS NULL OR s.restricted_until > now())))
