-- What the data of the demo may be used for, and the decisions of people as consent keeps them.
SET clientele.reason = 'the demo';
CALL consent.declare_purpose('newsletter', description => 'Letters about the range',
  columns => ARRAY['mail.subscribers.email', 'mail.subscribers.first_name', 'crm.contacts.email', 'crm.contacts.first_name']);
CALL consent.declare_purpose('sms', description => 'Messages about events in stores',
  columns => ARRAY['crm.contacts.mobile', 'loyalty.cards.mobile', 'shop.customers.phone']);
CALL consent.declare_purpose('profiling', description => 'Recommendations that follow what people bought');
CALL consent.declare_purpose('partners', description => 'Offers of partners',
  columns => ARRAY['crm.contacts.email', 'shop.customers.email']);
CALL consent.record_all($$
  SELECT 'email:' || email AS subject, purpose, granted, source AS channel, decided_at AS occurred_at FROM consents.decisions $$);
-- What counts as an act of the person: what was sent to somebody, or opened by a program, does not.
CALL gdpr.set_retention('prospects', interval '3 years', 'ask', anchors => ARRAY['crm.contacts (created_at)', 'consents.decisions (decided_at)',
  'mail.sends (clicked_at)', 'web.events (occurred_at) WHERE (contact_id IS NOT NULL)', 'shop.orders (ordered_at)']);
CALL gdpr.set_retention('inactive accounts', interval '2 years', 'erase', anchors => ARRAY['web.events (occurred_at) WHERE (event <> ''visit'')',
  'mail.sends (clicked_at)', 'shop.orders (ordered_at)']);
CALL gdpr.set_retention('accounting', interval '10 years', 'erase', anchors => ARRAY['shop.orders (ordered_at)']);
RESET clientele.reason;
