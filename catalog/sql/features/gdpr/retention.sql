-- view gdpr.retention 14315
-- the rules of retention in force: those that were set, else the yardstick of the CNIL
-- purpose text: what for
-- anchors text[]: whose rows are acts of the person, as table (time) WHERE (condition); a default has all tables, of mails the clicks
-- keep_for interval: for how long after the last act
-- action text: then erase, archive or ask
-- source text: who says so
-- archive_for interval: for how long those are kept then who are archived; NULL: until gdpr.unrestrict
SELECT purpose, coalesce(anchors, gdpr.default_anchors()) AS anchors, keep_for, action, set_by AS source, archive_for
  FROM (SELECT DISTINCT ON (purpose) * FROM gdpr.retention_rules ORDER BY purpose, set_at DESC) AS own
UNION ALL
SELECT d.purpose, gdpr.default_anchors(), d.keep_for, d.action, 'CNIL' AS source, d.archive_for
  FROM (VALUES ('prospects', interval '3 years', 'ask', NULL::interval), ('inactive accounts', interval '2 years', 'erase', NULL),
               ('customers: marketing after the relation', interval '3 years', 'ask', NULL),
               ('contracts', interval '5 years', 'archive', interval '5 years'),
               ('accounting', interval '10 years', 'erase', NULL)) AS d (purpose, keep_for, action, archive_for)
 WHERE NOT EXISTS (SELECT 1 FROM gdpr.retention_rules AS r WHERE r.purpose = d.purpose)
