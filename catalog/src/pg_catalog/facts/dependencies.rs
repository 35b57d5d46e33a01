//! What depends on what (manual: catalog-pg-depend), as far as texts and definitions tell.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, ObjectName, ObjectNamePart, TableFactor, Value, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::super::context::Context;
use super::super::system_relation;
use crate::definition::{Oid, Relation};

/// OIDs of the catalogs that objects are in.
pub(crate) const PG_CLASS: Oid = 1259;
pub(crate) const PG_PROC: Oid = 1255;
pub(crate) const PG_TYPE: Oid = 1247;

/// Every view and materialized view with the relations it reads, by OID.
pub(crate) fn of_views(context: &Context) -> Vec<(&Relation, BTreeSet<Oid>)> {
    let views = context.relations().filter_map(|relation| {
        let used = of_query(context, relation.query()?);
        let read = used.into_iter().filter(|(catalog, _)| *catalog == PG_CLASS);
        Some((relation.as_ref(), read.map(|(_, oid)| oid).collect()))
    });
    views.collect()
}

/// What a query uses: relations, users' functions, domains and enumerated types, each as the OID
/// of its catalog and its own.
pub(crate) fn of_query(context: &Context, query: &str) -> BTreeSet<(Oid, Oid)> {
    let mut used = Used { context, found: BTreeSet::new() };
    if let Ok(statements) = Parser::parse_sql(&PostgreSqlDialect {}, query) {
        let _ = Visit::visit(&statements, &mut used);
    }
    used.found
}

/// What an expression uses.
pub(crate) fn of_expression(context: &Context, text: &str) -> BTreeSet<(Oid, Oid)> {
    of_query(context, &format!("SELECT {text}"))
}

/// The relation that a text names: `shop.orders_id_seq`, as `nextval` and casts to `regclass` take it.
pub(crate) fn relation_of_text(context: &Context, text: &str) -> Option<Oid> {
    let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text);
    let name = parser.and_then(|mut parser| parser.parse_object_name(false)).ok()?;
    resolve(context, &name)
}

struct Used<'a> {
    context: &'a Context,
    found: BTreeSet<(Oid, Oid)>,
}

impl Used<'_> {
    fn function(&mut self, name: &ObjectName) {
        let Some((schema, name)) = placed(name) else { return };
        let functions = self.context.catalog.functions();
        let meant = functions.filter(|one| {
            one.name == name
                && schema
                    .as_ref()
                    .is_none_or(|schema| self.context.schema_name(one.schema) == schema)
        });
        self.found.extend(meant.map(|one| (PG_PROC, one.oid)));
    }

    fn relation_in_text(&mut self, text: &str) {
        let relation = relation_of_text(self.context, text);
        self.found.extend(relation.map(|oid| (PG_CLASS, oid)));
    }
}

impl Visitor for Used<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let relation = resolve(self.context, name);
        self.found.extend(relation.map(|oid| (PG_CLASS, oid)));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Function { name, .. } | TableFactor::Table { name, args: Some(_), .. } => {
                self.function(name)
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(called) => {
                self.function(&called.name);
                if let Some(text) = text_argument(&called.to_string(), "nextval") {
                    self.relation_in_text(&text);
                }
            }
            Expr::Cast { expr, data_type: DataType::Regclass, .. } => {
                if let Expr::Value(value) = expr.as_ref()
                    && let Value::SingleQuotedString(text) = &value.value
                {
                    self.relation_in_text(text);
                }
            }
            Expr::Cast { data_type: DataType::Custom(name, _), .. } => {
                let Some((schema, name)) = placed(name) else { return ControlFlow::Continue(()) };
                let meant = self.context.catalog.domains().filter(|one| {
                    one.name == name
                        && schema
                            .as_ref()
                            .is_none_or(|schema| self.context.schema_name(one.schema) == schema)
                });
                self.found.extend(meant.map(|one| (PG_TYPE, one.oid)));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The text literal that is the only argument of a call.
fn text_argument(call: &str, function: &str) -> Option<String> {
    let inner = call.strip_prefix(function)?.strip_prefix("('")?.strip_suffix("')")?;
    Some(inner.replace("''", "'"))
}

/// Schema, where it is said, and name.
fn placed(name: &ObjectName) -> Option<(Option<String>, String)> {
    let mut parts = parts(name);
    let name = parts.pop()?;
    Some((parts.pop(), name))
}

fn parts(name: &ObjectName) -> Vec<String> {
    let part = |part: &ObjectNamePart| {
        let identifier = part.as_ident()?;
        let folded = identifier.quote_style.is_none().then(|| identifier.value.to_lowercase());
        Some(folded.unwrap_or_else(|| identifier.value.clone()))
    };
    name.0.iter().filter_map(part).collect()
}

/// The relation of a name; names of common table expressions resolve to nothing.
fn resolve(context: &Context, name: &ObjectName) -> Option<Oid> {
    match parts(name).as_slice() {
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
