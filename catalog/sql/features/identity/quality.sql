-- view identity.quality 14043
-- figures that show whether the rules fit; each points at the relation with the rows behind it
-- metric text: what is counted
-- value int8: how many
-- comment text: what it means, and where to look
SELECT 'customers' AS metric,
       (SELECT coalesce(sum(customers), 0)::bigint FROM identity.cluster_sizes) AS value,
       'customers with an identifier or a record: identity.cluster_sizes' AS comment
UNION ALL
SELECT 'largest_customer', (SELECT coalesce(max(size), 0) FROM identity.cluster_sizes),
       'identifiers of the customer with the most: identity.cluster_sizes'
UNION ALL
SELECT 'identifiers', (SELECT count(*) FROM identity.nodes),
       'identifiers that were seen: identity.identifiers'
UNION ALL
SELECT 'blocked_identifiers',
       (SELECT count(*) FROM identity.identifiers WHERE status = 'blocked'),
       'identifiers that name nobody after identity.blocked_values'
UNION ALL
SELECT 'quarantined_identifiers',
       (SELECT count(*) FROM identity.identifiers WHERE status = 'quarantined'),
       'identifiers seen with too many others to stitch: identity.identifiers'
UNION ALL
SELECT 'identifiers_near_limits', (SELECT count(*) FROM identity.near_limits),
       'identifiers that soon stitch no more, or should not now: identity.near_limits'
UNION ALL
SELECT 'conflicting_birth_dates',
       (SELECT count(*) FROM identity.suspicious WHERE reason = 'conflicting birth_date'),
       'customers with two birth dates: identity.suspicious'
UNION ALL
SELECT 'suspicious_customers', (SELECT count(DISTINCT customer_id) FROM identity.suspicious),
       'customers that may be more than one person: identity.suspicious'
