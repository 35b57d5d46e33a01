-- What is known about one contact, in one row.
SELECT c.contact_id, c.first_name, c.last_name, c.city, o.orders, o.spent, o.last_order_at, m.letters, m.opened,
  e.steps, e.last_seen_at
FROM crm.contacts c,
  (SELECT count(*) AS orders, sum(total) AS spent, max(ordered_at) AS last_order_at FROM shop.orders WHERE email = %(email)s) AS o,
  (SELECT count(*) AS letters, count(opened_at) AS opened FROM mail.sends WHERE email = %(email)s) AS m,
  (SELECT count(*) AS steps, max(occurred_at) AS last_seen_at FROM web.events WHERE contact_id = %(contact)s) AS e
WHERE c.contact_id = %(contact)s
