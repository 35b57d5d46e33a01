-- What people have allowed.
CREATE SCHEMA consents;
COMMENT ON SCHEMA consents IS 'Decisions about the use of personal data';

CREATE TABLE consents.decisions (email email NOT NULL, purpose text NOT NULL, granted boolean NOT NULL,
  decided_at timestamptz NOT NULL, source text NOT NULL);
COMMENT ON TABLE consents.decisions IS 'Each decision; the latest one for a purpose counts';
COMMENT ON COLUMN consents.decisions.email IS 'Mailbox of who decided';
COMMENT ON COLUMN consents.decisions.purpose IS 'newsletter, profiling, sms or partners';
COMMENT ON COLUMN consents.decisions.granted IS 'True: allowed; false: refused or taken back';
COMMENT ON COLUMN consents.decisions.decided_at IS 'When';
COMMENT ON COLUMN consents.decisions.source IS 'Where the question was asked';
