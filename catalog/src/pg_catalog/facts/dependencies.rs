//! Which relations a view reads.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, ObjectNamePart, visit_relations};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::super::context::Context;
use super::super::system_relation;
use crate::definition::{Oid, Relation};

/// Every view and materialized view with the relations it reads, by OID.
pub(crate) fn of_views(context: &Context) -> Vec<(&Relation, BTreeSet<Oid>)> {
    let views = context
        .relations()
        .filter_map(|relation| Some((relation.as_ref(), of_query(context, relation.query()?))));
    views.collect()
}

fn of_query(context: &Context, query: &str) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    let Ok(statements) = Parser::parse_sql(&PostgreSqlDialect {}, query) else { return found };
    let _ = visit_relations(&statements, |name| {
        found.extend(resolve(context, name));
        ControlFlow::<()>::Continue(())
    });
    found
}

/// The relation of a name; names of common table expressions resolve to nothing.
fn resolve(context: &Context, name: &ObjectName) -> Option<Oid> {
    let part = |part: &ObjectNamePart| {
        let identifier = part.as_ident()?;
        let folded = identifier.quote_style.is_none().then(|| identifier.value.to_lowercase());
        Some(folded.unwrap_or_else(|| identifier.value.clone()))
    };
    let parts: Vec<String> = name.0.iter().filter_map(part).collect();
    match parts.as_slice() {
        [.., schema, name] => relation_in(context, schema, name),
        [name] => context
            .search_schemas()
            .find_map(|schema| relation_in(context, context.schema_name(schema), name)),
        [] => None,
    }
}

fn relation_in(context: &Context, schema: &str, name: &str) -> Option<Oid> {
    let user = context
        .catalog
        .schema(schema)
        .and_then(|schema| context.catalog.relation(schema.oid, name));
    user.map(|relation| relation.oid)
        .or_else(|| system_relation::find(schema, name).map(|one| one.oid))
}
