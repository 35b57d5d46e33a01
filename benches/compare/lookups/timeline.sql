-- The last steps of one contact, out of all events.
SELECT occurred_at, event, properties FROM web.events WHERE contact_id = %(contact)s ORDER BY occurred_at DESC LIMIT 100
