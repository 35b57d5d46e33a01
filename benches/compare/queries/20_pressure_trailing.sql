-- The most letters that somebody got within seven days.
SELECT letters, count(*) AS sends
FROM (SELECT email, count(*) OVER (PARTITION BY email ORDER BY sent_at
        RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) AS letters FROM mail.sends) AS pressure
GROUP BY 1 ORDER BY 1
