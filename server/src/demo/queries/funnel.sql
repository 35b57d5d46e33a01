-- From visit to purchase, by where the visit came from.
SELECT source, count(*) AS visits, sum(cart) AS carts, sum(checkout) AS checkouts, sum(purchase) AS purchases
FROM (SELECT properties->>'session' AS session, max(properties->>'source') AS source,
        max(CASE event WHEN 'add_to_cart' THEN 1 ELSE 0 END) AS cart,
        max(CASE event WHEN 'checkout' THEN 1 ELSE 0 END) AS checkout,
        max(CASE event WHEN 'purchase' THEN 1 ELSE 0 END) AS purchase
      FROM web.events GROUP BY 1) AS visits
GROUP BY 1 ORDER BY 2 DESC;
