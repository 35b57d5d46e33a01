//! `pg_rewrite`: the rule `_RETURN` of each view. PostgreSQL manual: catalog-pg-rewrite.

use super::super::facts::oids;
use super::super::system_relation::relation;

relation! { (context) (relation, query) in context.relations()
    .filter_map(|relation| Some((relation, relation.query()?))) => {
    oid: oids::part(relation.oid, 0),
    rulename: "_RETURN",
    ev_class: relation.oid,
    ev_type: '1',
    ev_enabled: 'O',
    is_instead: true,
    ev_qual: "<>",
    ev_action: query,
} }
