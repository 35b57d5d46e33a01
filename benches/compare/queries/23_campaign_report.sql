-- Letters, opens and clicks of every campaign, and the time until opening.
SELECT c.campaign, c.category, count(*) AS letters, count(CASE WHEN s.bounced THEN 1 END) AS bounced,
  count(s.opened_at) AS opened, count(s.clicked_at) AS clicked, min(s.opened_at - s.sent_at) AS fastest
FROM mail.sends s JOIN mail.campaigns c ON c.campaign = s.campaign GROUP BY 1, 2 ORDER BY 1
