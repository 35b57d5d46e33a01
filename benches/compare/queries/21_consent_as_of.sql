-- What each customer allowed last, purpose by purpose.
SELECT purpose, granted, count(*) AS customers
FROM (SELECT DISTINCT ON (email, purpose) email, purpose, granted
      FROM consents.decisions ORDER BY email, purpose, decided_at DESC, granted) AS latest
GROUP BY 1, 2 ORDER BY 1, 2
