-- Segment: opened three of the last five letters, bought nothing in the last 60 days.
SELECT count(*) AS customers
FROM (SELECT email
      FROM (SELECT email, opened_at, row_number() OVER (PARTITION BY email ORDER BY sent_at DESC) AS place FROM mail.sends) AS letters
      WHERE place <= 5 GROUP BY email HAVING count(opened_at) >= 3) AS readers
WHERE NOT EXISTS (SELECT 1 FROM shop.orders o WHERE o.email = readers.email
                    AND o.ordered_at > timestamptz '2026-11-01 00:00+00' - interval '60 days')
