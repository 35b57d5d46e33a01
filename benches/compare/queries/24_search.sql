-- What is searched for, in a quarter.
SELECT properties ->> 'query' AS query, count(*) AS searches, count(DISTINCT device) AS devices
FROM web.events WHERE event = 'search' AND occurred_at >= timestamptz '2026-08-01 00:00+00' AND properties ->> 'query' LIKE '%a%'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
