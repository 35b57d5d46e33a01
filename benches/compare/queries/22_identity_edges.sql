-- Which browsers and contacts were seen together, and how shared they are.
SELECT contacts, count(*) AS devices
FROM (SELECT device, count(DISTINCT contact_id) AS contacts FROM web.events WHERE contact_id IS NOT NULL GROUP BY device) AS edges
GROUP BY 1 ORDER BY 1
