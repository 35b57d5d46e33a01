//! `pg_matviews`: materialized views by name. PostgreSQL manual: view-pg-matviews.

use super::super::describe::definitions::view_text;
use super::super::facts::indexes;
use super::super::system_relation::relation;
use crate::definition::RelationKind;

relation! { (context) (schema, relation, populated) in context.placed_relations()
    .filter_map(|(schema, relation)| match &relation.kind {
        RelationKind::MaterializedView { populated, .. } => Some((schema, relation, *populated)),
        _ => None,
    }) => {
    schemaname: &schema.name,
    matviewname: &relation.name,
    matviewowner: context.role_name(relation.owner),
    hasindexes: indexes::of(relation).next().is_some(),
    ispopulated: populated,
    definition: view_text(relation),
} }
