-- Visits: steps of a browser with less than 30 minutes between them.
WITH steps AS (
  SELECT device, occurred_at, lag(occurred_at) OVER (PARTITION BY device ORDER BY occurred_at) AS before FROM web.events),
begun AS (
  SELECT device, occurred_at, sum(CASE WHEN before IS NULL OR occurred_at - before > interval '30 minutes' THEN 1 ELSE 0 END)
    OVER (PARTITION BY device ORDER BY occurred_at) AS session FROM steps),
sessions AS (
  SELECT device, session, count(*) AS steps, min(occurred_at) AS began_at FROM begun GROUP BY 1, 2)
SELECT extract(year FROM began_at) AS year, count(*) AS sessions, sum(steps) AS steps, max(steps) AS longest
FROM sessions GROUP BY 1 ORDER BY 1
