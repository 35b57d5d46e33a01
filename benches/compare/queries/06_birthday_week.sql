-- Whose birthday is in the first week of November.
SELECT extract(day FROM born) AS day, count(*) AS contacts
FROM crm.contacts WHERE extract(month FROM born) = 11 AND extract(day FROM born) <= 7
GROUP BY 1 ORDER BY 1
