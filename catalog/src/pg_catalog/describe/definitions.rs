//! Objects as SQL text: `pg_get_constraintdef`, `pg_get_viewdef`, `pg_get_indexdef` …

use std::sync::Arc;

use super::super::context::Context;
use super::super::facts::constraints;
use super::super::facts::expressions::{bare, quote_identifier};
use super::super::facts::indexes::{self, Index};
use crate::definition::{Oid, Relation, RelationKind};

/// `pg_get_constraintdef(oid, pretty)`: `CHECK (n >= 0)`; `None` when there is none.
pub fn constraint_definition(context: &Context, constraint: Oid, pretty: bool) -> Option<String> {
    constraints::find(context, constraint).map(|row| row.definition(context, pretty))
}

/// `pg_get_indexdef(oid)`: `CREATE INDEX i ON shop.orders USING btree (placed_at)`.
pub fn index_definition(context: &Context, index: Oid) -> Option<String> {
    indexes::find(context, index).map(|one| index_text(context, &one))
}

/// `pg_get_indexdef(oid, column, pretty)`: the column's name; column 0 is the whole definition,
/// with the table's name as short as the search path allows when pretty.
pub fn index_column(context: &Context, index: Oid, column: i32, pretty: bool) -> Option<String> {
    let found = indexes::find(context, index)?;
    if column <= 0 {
        let table = if pretty {
            context.display_relation(found.relation)
        } else {
            context.qualified(found.relation)
        };
        return Some(index_text_on(&found, &table));
    }
    found.keys().get(usize::try_from(column - 1).ok()?).cloned()
}

pub(crate) fn index_text(context: &Context, index: &Index<'_>) -> String {
    index_text_on(index, &context.qualified(index.relation))
}

fn index_text_on(index: &Index<'_>, table: &str) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (keys, name) = (index.sorted_keys().join(", "), quote_identifier(index.name));
    let predicate = index.predicate.map(|text| format!(" WHERE {text}")).unwrap_or_default();
    format!("CREATE {unique}INDEX {name} ON {table} USING {} ({keys}){predicate}", index.method())
}

/// `pg_get_viewdef(oid, pretty)`: the query as it was given, with PostgreSQL's leading space and
/// final semicolon; `None` for what is no view.
pub fn view_definition(context: &Context, view: Oid) -> Option<String> {
    context.catalog.relation_by_oid(view).and_then(|relation| view_text(relation))
}

pub(crate) fn view_text(relation: &Relation) -> Option<String> {
    relation.query().map(|query| format!(" {};", query.trim().trim_end_matches(';')))
}

/// `pg_get_expr(node, relation, pretty)`: nodes are kept as SQL already.
pub fn expression(node: &str, pretty: bool) -> String {
    if pretty { bare(node).to_owned() } else { node.to_owned() }
}

/// `pg_get_ruledef(oid)`: the rule `_RETURN` of a view.
pub fn rule_definition(context: &Context, rule: Oid) -> Option<String> {
    let is_wanted =
        |relation: &&Arc<Relation>| super::super::facts::oids::part(relation.oid, 0) == rule;
    let view = context.relations().find(is_wanted)?;
    let name = context.qualified(view);
    Some(format!(
        "CREATE RULE \"_RETURN\" AS\n    ON SELECT TO {name} DO INSTEAD {}",
        view_text(view)?
    ))
}

/// `pg_get_serial_sequence(table, column)`: `shop.orders_id_seq`; `None` when the column has none.
pub fn serial_sequence(context: &Context, table: &Relation, column: &str) -> Option<String> {
    let number = table.column(column)?.number;
    let owned = |relation: &&Arc<Relation>| match &relation.kind {
        RelationKind::Sequence(sequence) => sequence.owned_by == Some((table.oid, number)),
        _ => false,
    };
    context.relations().find(owned).map(|sequence| context.qualified(sequence))
}

/// `format_type(oid, modifier)`: `numeric(12,2)`, `shop.email`; `???` for a type that is unknown,
/// `-` for 0.
pub fn format_type(context: &Context, type_oid: Oid, modifier: Option<i32>) -> String {
    super::names::type_text(context, type_oid, modifier.unwrap_or(-1))
}
