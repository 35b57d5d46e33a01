//! `pg_indexes`: indexes by name. PostgreSQL manual: view-pg-indexes.

use super::super::describe::definitions::index_text;
use super::super::facts::indexes;
use super::super::system_relation::relation;

relation! { (context) index in indexes::all(context) => {
    schemaname: context.schema_name(index.relation.schema),
    tablename: &index.relation.name,
    indexname: index.name,
    indexdef: index_text(context, &index),
} }
