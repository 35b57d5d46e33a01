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
RESET clientele.reason;
