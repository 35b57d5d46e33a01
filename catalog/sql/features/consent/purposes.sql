-- view consent.purposes 14353
-- the purposes that data may be used for; CALL consent.declare_purpose(...) declares one
-- purpose text: its name, as SET clientele.purpose says it
-- legal_basis text: consent, contract, legal obligation, vital interests, public interest or legitimate interests (GDPR art. 6)
-- columns text[]: the personal columns that it needs
-- description text: what is done
-- declared_by text: the role that declared it
-- declared_at timestamptz: when
SELECT DISTINCT ON (purpose) purpose, legal_basis, columns, description, declared_by, declared_at
  FROM consent.purpose_declarations
 ORDER BY purpose, declared_at DESC
