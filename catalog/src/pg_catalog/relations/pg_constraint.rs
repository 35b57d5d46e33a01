//! `pg_constraint`: keys, foreign keys, checks. PostgreSQL manual: catalog-pg-constraint.

use super::super::facts::constraints;
use super::super::system_relation::relation;

relation! { (context) row in constraints::all(context) => {
    oid: row.oid,
    conname: row.name.as_str(),
    connamespace: row.schema,
    contype: row.kind,
    condeferrable: row.deferrable.is_some(),
    condeferred: row.deferrable == Some(true),
    convalidated: true,
    conrelid: row.relation.map_or(0, |relation| relation.oid),
    contypid: row.domain.map_or(0, |domain| domain.oid),
    conindid: row.index(context),
    confrelid: row.foreign.as_ref().map_or(0, |foreign| foreign.relation),
    confupdtype: row.foreign.as_ref().map_or(' ', |foreign| foreign.on_update),
    confdeltype: row.foreign.as_ref().map_or(' ', |foreign| foreign.on_delete),
    confmatchtype: if row.foreign.is_some() { 's' } else { ' ' },
    conislocal: true,
    connoinherit: row.kind != 'c',
    conkey: row.relation.map(|_| row.columns.clone()),
    confkey: row.foreign.as_ref().map(|foreign| foreign.columns.to_vec()),
    conbin: row.expression.as_deref(),
} }
