-- The newsletter.
CREATE SCHEMA mail;
COMMENT ON SCHEMA mail IS 'Newsletters and what became of them';

CREATE TABLE mail.campaigns (campaign text PRIMARY KEY, subject text NOT NULL, category text,
  scheduled_at timestamptz NOT NULL);
COMMENT ON TABLE mail.campaigns IS 'One row for each newsletter';
COMMENT ON COLUMN mail.campaigns.campaign IS 'Name of the campaign';
COMMENT ON COLUMN mail.campaigns.subject IS 'Subject of the letter';
COMMENT ON COLUMN mail.campaigns.category IS 'Department that it is about';
COMMENT ON COLUMN mail.campaigns.scheduled_at IS 'When the first letter goes out';

CREATE TABLE mail.subscribers (email email PRIMARY KEY, first_name given_name, country country,
  subscribed_at timestamptz NOT NULL, unsubscribed_at timestamptz);
COMMENT ON TABLE mail.subscribers IS 'Who gets, or got, the newsletter';
COMMENT ON COLUMN mail.subscribers.email IS 'Mailbox, confirmed';
COMMENT ON COLUMN mail.subscribers.first_name IS 'Given name, if given';
COMMENT ON COLUMN mail.subscribers.country IS 'Country, ISO 3166-1';
COMMENT ON COLUMN mail.subscribers.subscribed_at IS 'When the address was confirmed';
COMMENT ON COLUMN mail.subscribers.unsubscribed_at IS 'When the subscription ended; NULL: it has not';

CREATE TABLE mail.sends (campaign text NOT NULL REFERENCES mail.campaigns, email email NOT NULL,
  sent_at timestamptz NOT NULL, bounced boolean NOT NULL, opened_at timestamptz, clicked_at timestamptz,
  PRIMARY KEY (campaign, email));
COMMENT ON TABLE mail.sends IS 'One row for each letter';
COMMENT ON COLUMN mail.sends.campaign IS 'Campaign';
COMMENT ON COLUMN mail.sends.email IS 'Mailbox to which it went';
COMMENT ON COLUMN mail.sends.sent_at IS 'When it was sent';
COMMENT ON COLUMN mail.sends.bounced IS 'Whether it came back';
COMMENT ON COLUMN mail.sends.opened_at IS 'When it was first opened';
COMMENT ON COLUMN mail.sends.clicked_at IS 'When a link in it was first followed';
