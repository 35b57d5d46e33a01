-- view identity.rules 14021
-- the rules in force; CALL identity.set_rule(...) sets one
-- namespace text: the domain, * for those without a rule of their own
-- priority int4: whose links hold when limits conflict: smaller is stronger
-- max_per_customer int4: how many values of the namespace one customer may have
-- max_fan_out int4: with how many other identifiers of one namespace a value may be seen before it stitches nothing
-- changed_by text: the role that set it
-- changed_at timestamptz: when
SELECT DISTINCT ON (namespace) namespace, priority, max_per_customer, max_fan_out, changed_by, changed_at
  FROM identity.rule_changes
 ORDER BY namespace, changed_at DESC
