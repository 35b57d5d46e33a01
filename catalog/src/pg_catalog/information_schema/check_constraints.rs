//! `check_constraints`: conditions of tables and domains. PostgreSQL manual:
//! infoschema-check-constraints.

use super::super::context::Context;
use super::super::facts::constraints;
use super::super::facts::expressions::{bare, quote_identifier};
use super::super::system_relation::relation;
use super::table_constraints::{not_null, visible};
use crate::definition::Oid;

relation! { (context) (schema, name, condition) in rows(context) => {
    constraint_catalog: &context.database.name,
    constraint_schema: context.schema_name(schema),
    constraint_name: name,
    check_clause: condition,
} }

fn rows(context: &Context) -> Vec<(Oid, String, String)> {
    let mut rows = Vec::new();
    let condition = |text: &str| format!("({})", bare(text));
    for relation in visible(context) {
        let checks = constraints::of_relation(relation);
        rows.extend(
            checks.filter_map(|one| Some((one.schema, one.name, condition(&one.expression?)))),
        );
        let is_not_null = |name: &str| format!("{} IS NOT NULL", quote_identifier(name));
        rows.extend(
            not_null(relation)
                .map(|(column, name)| (relation.schema, name, is_not_null(&column.name))),
        );
    }
    for domain in context.catalog.domains() {
        let checks = constraints::of_domain(domain);
        rows.extend(
            checks.filter_map(|one| Some((one.schema, one.name, condition(&one.expression?)))),
        );
    }
    rows
}
