-- view gdpr.terms 14321
-- until when each rule of retention keeps each customer: from the last act, and who never acted from the first row; gdpr.due has those who are due
-- customer_id int8: the customer
-- purpose text: the rule
-- last_act_at timestamptz: the last act, as the anchors of the rule say, or the answer of who was asked; NULL: none
-- due_at timestamptz: when it is due
-- action text: what is to be done then: erase, archive or ask
-- archived_until timestamptz: until when those are kept who are archived; NULL: the rule archives nobody, or says no end
SELECT t.customer_id, t.purpose, greatest(t.last_act_at, s.answered_at) AS last_act_at,
       coalesce(greatest(t.last_act_at, s.answered_at), t.first_seen_at) + t.keep_for AS due_at, t.action,
       coalesce(greatest(t.last_act_at, s.answered_at), t.first_seen_at) + t.keep_for + t.archive_for AS archived_until
  FROM (SELECT a.customer_id, r.purpose, r.action, r.keep_for, r.archive_for,
               max(a.last_act_at) AS last_act_at, min(a.first_seen_at) AS first_seen_at
          FROM gdpr.acts AS a
          JOIN (SELECT purpose, keep_for, action, archive_for, unnest(anchors) AS anchor FROM gdpr.retention) AS r ON r.anchor = a.anchor
         GROUP BY a.customer_id, r.purpose, r.action, r.keep_for, r.archive_for) AS t
  LEFT JOIN (SELECT customer_id, purpose, max(answered_at) AS answered_at FROM gdpr.asked GROUP BY 1, 2) AS s
    ON s.customer_id = t.customer_id AND s.purpose = t.purpose
