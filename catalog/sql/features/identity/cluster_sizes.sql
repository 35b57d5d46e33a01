-- view identity.cluster_sizes 14040
-- how many customers have how many identifiers
-- size int8: number of identifiers; 0 for customers that only a record without any makes
-- customers int8: how many customers have so many
SELECT size, count(*) AS customers
  FROM (SELECT customer_id, count(DISTINCT identifier) AS size
          FROM (SELECT customer_id, namespace::text || ':' || value AS identifier
                  FROM identity.nodes WHERE customer_id IS NOT NULL
                UNION ALL
                SELECT customer_id, NULL::text FROM identity.records
                 WHERE customer_id IS NOT NULL) AS seen
         GROUP BY customer_id) AS clusters
 GROUP BY size
