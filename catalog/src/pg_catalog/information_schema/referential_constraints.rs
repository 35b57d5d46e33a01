//! `referential_constraints`: foreign keys. PostgreSQL manual: infoschema-referential-constraints.

use super::super::facts::constraints::{action_name, referenced_key};
use super::super::system_relation::relation;
use super::table_constraints::visible_constraints;

relation! { (context) (relation, constraint, foreign) in visible_constraints(context)
    .filter_map(|(relation, mut constraint)| {
        let foreign = constraint.foreign.take()?;
        Some((relation, constraint, foreign))
    }) => {
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(relation.schema),
    constraint_name: constraint.name,
    unique_constraint_catalog: referenced_key(context, &foreign)
        .map(|_| context.database.name.as_str()),
    unique_constraint_schema: referenced_key(context, &foreign)
        .and_then(|_| context.catalog.relation_by_oid(foreign.relation))
        .map(|target| context.schema_name(target.schema)),
    unique_constraint_name: referenced_key(context, &foreign).map(|key| key.name.as_str()),
    match_option: "NONE",
    update_rule: action_name(foreign.on_update),
    delete_rule: action_name(foreign.on_delete),
} }
