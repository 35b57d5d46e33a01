-- view gdpr.retention 14315
-- the rules of retention in force: those that were set, else the yardstick of the CNIL
-- purpose text: what for
-- anchors text[]: whose rows are acts of the person, as table (time) WHERE (condition); a default has all tables, of mails the clicks
-- keep_for interval: for how long after the last act
-- action text: then erase, archive or ask
-- source text: who says so
SELECT purpose, coalesce(anchors, gdpr.default_anchors()) AS anchors, keep_for, action, set_by AS source
  FROM (SELECT DISTINCT ON (purpose) * FROM gdpr.retention_rules ORDER BY purpose, set_at DESC) AS own
UNION ALL
SELECT d.purpose, gdpr.default_anchors(), d.keep_for, d.action, 'CNIL' AS source
  FROM (VALUES ('prospects', interval '3 years', 'ask'), ('inactive accounts', interval '2 years', 'erase'),
               ('customers: marketing after the relation', interval '3 years', 'ask'),
               ('contracts', interval '5 years', 'archive'), ('accounting', interval '10 years', 'archive'),
               ('opposition list', interval '3 years', 'erase')) AS d (purpose, keep_for, action)
 WHERE NOT EXISTS (SELECT 1 FROM gdpr.retention_rules AS r WHERE r.purpose = d.purpose)
