-- From visit to purchase within seven days, for each browser: how many reached which step.
WITH first_step AS (
  SELECT device, event, occurred_at,
    max(CASE WHEN event = 'visit' THEN occurred_at END) OVER (PARTITION BY device ORDER BY occurred_at) AS began_1
  FROM web.events WHERE event IN ('visit', 'product_view', 'add_to_cart', 'purchase')),
second_step AS (
  SELECT device, event, occurred_at, began_1,
    max(CASE WHEN event = 'product_view' AND began_1 > occurred_at - interval '7 days' THEN began_1 END)
      OVER (PARTITION BY device ORDER BY occurred_at) AS began_2
  FROM first_step),
third_step AS (
  SELECT device, event, occurred_at, began_1, began_2,
    max(CASE WHEN event = 'add_to_cart' AND began_2 > occurred_at - interval '7 days' THEN began_2 END)
      OVER (PARTITION BY device ORDER BY occurred_at) AS began_3
  FROM second_step),
reached AS (
  SELECT device, max(CASE WHEN event = 'purchase' AND began_3 > occurred_at - interval '7 days' THEN 4
      WHEN began_3 IS NOT NULL THEN 3 WHEN began_2 IS NOT NULL THEN 2 WHEN began_1 IS NOT NULL THEN 1 ELSE 0 END) AS step
  FROM third_step GROUP BY device)
SELECT step, count(*) AS devices FROM reached GROUP BY 1 ORDER BY 1
