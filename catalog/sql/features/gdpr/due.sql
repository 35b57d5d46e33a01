-- view gdpr.due 14316
-- customers whose last act is older than a rule of retention allows; CALL gdpr.apply_retention(purpose) does what is due. Whose data are restricted is not due, but for the end of the archive that the rule itself has made
-- customer_id int8: the customer
-- purpose text: the rule
-- last_act_at timestamptz: the last act, as the anchors of the rule say; NULL: none
-- due_at timestamptz: since when it is due
-- action text: erase, archive or ask; erase for those who were asked a month ago and have not acted since, and at the end of an archive
SELECT d.customer_id, d.purpose, d.last_act_at, d.due_at, d.action
  FROM (SELECT t.customer_id, t.purpose, t.last_act_at, t.due_at, 'retention: ' || t.purpose AS ground,
               CASE WHEN q.asked_at IS NOT NULL OR t.archived_until < now() THEN 'erase' ELSE t.action END AS action
          FROM gdpr.terms AS t
          LEFT JOIN (SELECT customer_id, purpose, max(asked_at) AS asked_at FROM gdpr.asked GROUP BY 1, 2) AS q
            ON t.action = 'ask' AND q.customer_id = t.customer_id AND q.purpose = t.purpose AND (t.last_act_at IS NULL OR q.asked_at > t.last_act_at)
         WHERE t.due_at < now() AND (q.asked_at IS NULL OR q.asked_at < now() - interval '1 month')) AS d
 WHERE NOT (d.action <> 'erase' AND EXISTS (SELECT 1 FROM gdpr.restrictions AS s
            WHERE s.customer_id = d.customer_id AND (s.restricted_until IS NULL OR s.restricted_until > now())))
   AND NOT EXISTS (SELECT 1 FROM gdpr.restrictions AS s
            WHERE s.customer_id = d.customer_id AND (s.restricted_until IS NULL OR s.restricted_until > now()) AND s.ground <> d.ground)
