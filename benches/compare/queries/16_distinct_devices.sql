-- Browsers a day, exactly.
SELECT date_trunc('day', occurred_at) AS day, count(*) AS events, count(DISTINCT device) AS devices
FROM web.events GROUP BY 1 ORDER BY 1
