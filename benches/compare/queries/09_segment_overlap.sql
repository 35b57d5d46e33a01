-- How many customers five segments share, pair by pair.
WITH members AS (
  SELECT 'lapsed' AS segment, email FROM shop.orders WHERE email IS NOT NULL GROUP BY email HAVING max(ordered_at) < timestamptz '2026-08-01 00:00+00'
  UNION ALL SELECT 'vip', email FROM shop.orders WHERE email IS NOT NULL GROUP BY email HAVING sum(total) > 500
  UNION ALL SELECT 'frequent', email FROM shop.orders WHERE email IS NOT NULL GROUP BY email HAVING count(*) >= 4
  UNION ALL SELECT 'reader', email FROM mail.sends WHERE opened_at IS NOT NULL GROUP BY email HAVING count(*) >= 3
  UNION ALL SELECT 'online', email FROM shop.orders WHERE email IS NOT NULL AND store = 'online' GROUP BY email)
SELECT a.segment, b.segment AS other, count(*) AS customers
FROM members a JOIN members b ON b.email = a.email AND a.segment < b.segment
GROUP BY 1, 2 ORDER BY 1, 2
