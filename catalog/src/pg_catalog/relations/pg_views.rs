//! `pg_views`: views by name. PostgreSQL manual: view-pg-views.

use super::super::describe::definitions::view_text;
use super::super::system_relation::relation;
use crate::definition::RelationKind;

relation! { (context) (schema, relation) in context.placed_relations()
    .filter(|(_, relation)| matches!(relation.kind, RelationKind::View { .. })) => {
    schemaname: &schema.name,
    viewname: &relation.name,
    viewowner: context.role_name(relation.owner),
    definition: view_text(relation),
} }
