-- Basket values by store.
SELECT store, count(*) AS orders, percentile_cont(0.5) WITHIN GROUP (ORDER BY total::float8) AS median,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY total::float8) AS ninth
FROM shop.orders GROUP BY 1 ORDER BY 1
