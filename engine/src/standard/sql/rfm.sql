CREATE VIEW segments.rfm AS
SELECT scored.customer_id, scored.recency_days, scored.frequency, scored.monetary, scored.r, scored.f, scored.m,
  names.name
FROM (SELECT customer_id, current_date - max(ordered_at)::date AS recency_days, count(*) AS frequency,
        sum(total) AS monetary, ntile(5) OVER (ORDER BY max(ordered_at), customer_id) AS r,
        ntile(5) OVER (ORDER BY count(*), customer_id) AS f, ntile(5) OVER (ORDER BY sum(total), customer_id) AS m
      FROM orders WHERE customer_id IS NOT NULL GROUP BY customer_id) AS scored
LEFT JOIN rfm_names AS names
  ON scored.r BETWEEN names.r_from AND names.r_to AND scored.f BETWEEN names.f_from AND names.f_to;
COMMENT ON VIEW segments.rfm IS 'Everybody who has bought, with fifths of recency, frequency and money, and a name for the first two';
