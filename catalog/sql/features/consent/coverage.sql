-- view consent.coverage 14354
-- which customers a purpose covers: by consent, or by another legal basis, unless they object; SET clientele.purpose shows their rows only
-- purpose text: the purpose
-- customer_id int8: the customer
SELECT covered.purpose, covered.customer_id
  FROM (SELECT c.purpose, c.customer_id
          FROM consent.current AS c
          JOIN consent.purposes AS p ON p.purpose = c.purpose AND p.legal_basis = 'consent'
         WHERE c.granted
        UNION ALL
        SELECT p.purpose, k.customer_id
          FROM consent.purposes AS p
          CROSS JOIN (SELECT customer_id FROM identity.nodes WHERE customer_id IS NOT NULL
                      UNION SELECT customer_id FROM identity.records WHERE customer_id IS NOT NULL) AS k
         WHERE p.legal_basis <> 'consent') AS covered
  LEFT JOIN (SELECT DISTINCT o.customer_id, p.purpose FROM gdpr.objections AS o
               JOIN consent.purposes AS p ON p.purpose = o.purpose OR starts_with(p.purpose, o.purpose || '.')) AS o
    ON o.customer_id = covered.customer_id AND o.purpose = covered.purpose
 WHERE o.customer_id IS NULL
