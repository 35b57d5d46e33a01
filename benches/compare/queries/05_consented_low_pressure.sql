-- Who allows the newsletter and got fewer than two letters in the last 90 days, by country.
WITH allowed AS (
  SELECT email FROM (SELECT email, granted, row_number() OVER (PARTITION BY email ORDER BY decided_at DESC, granted) AS place
                     FROM consents.decisions WHERE purpose = 'newsletter') AS decisions
  WHERE place = 1 AND granted),
pressure AS (
  SELECT email, count(*) AS letters FROM mail.sends
  WHERE sent_at > timestamptz '2026-11-01 00:00+00' - interval '90 days' GROUP BY email)
SELECT s.country, count(*) AS customers
FROM allowed a JOIN mail.subscribers s ON s.email = a.email LEFT JOIN pressure p ON p.email = a.email
WHERE s.unsubscribed_at IS NULL AND coalesce(p.letters, 0) < 2
GROUP BY 1 ORDER BY 1
