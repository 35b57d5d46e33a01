-- What tells who stays: behaviour until August, orders since then.
WITH known AS (
  SELECT email, count(*) AS orders, sum(total) AS spent, max(ordered_at) AS last_at
  FROM shop.orders WHERE email IS NOT NULL AND ordered_at < timestamptz '2026-08-01 00:00+00' GROUP BY email),
reads AS (SELECT email, count(*) AS letters, count(opened_at) AS opened FROM mail.sends WHERE sent_at < timestamptz '2026-08-01 00:00+00' GROUP BY email),
stays AS (SELECT DISTINCT email FROM shop.orders WHERE ordered_at >= timestamptz '2026-08-01 00:00+00')
SELECT least(k.orders, 4) AS orders, s.email IS NOT NULL AS stays, count(*) AS customers, round(avg(k.spent), 2) AS spent,
  sum(coalesce(r.opened, 0)) AS opened, sum(coalesce(r.letters, 0)) AS letters
FROM known k LEFT JOIN reads r ON r.email = k.email LEFT JOIN stays s ON s.email = k.email
GROUP BY 1, 2 ORDER BY 1, 2
