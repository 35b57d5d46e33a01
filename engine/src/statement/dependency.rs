//! Which views stand on a relation: their queries are kept as SQL with qualified names, so the
//! names in them are the dependencies. PostgreSQL keeps them in `pg_depend`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Function, Oid, Relation, RelationKind};
use sqlparser::ast::{
    Expr, ObjectName, Query, Select, SelectItem, TableAlias, TableFactor, Visit, VisitMut, Visitor,
    VisitorMut,
};

use super::create_view::plain;
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::planning::{inline, rights};
use crate::sql;
use crate::sql::place::{folded, name_parts};

/// The views and materialized views whose queries name a relation.
pub(super) fn dependents(catalog: &Catalog, relation: Oid) -> Vec<Arc<Relation>> {
    let Some(found) = catalog.relation_by_oid(relation) else { return Vec::new() };
    let Some(schema) = catalog.schema_by_oid(found.schema) else { return Vec::new() };
    let name = [schema.name.clone(), found.name.clone()];
    let names = |view: &&Arc<Relation>| {
        query_of(view).is_some_and(|query| {
            // A cheap look before the parser is asked.
            query.contains(found.name.as_str()) && names_in(query).contains(name.as_slice())
        })
    };
    catalog.relations().filter(|view| view.oid != relation).filter(names).map(Arc::clone).collect()
}

/// What calls a function: `view lapsed`, `function add_tax`.
pub(super) fn users_of_function(context: &QueryContext, function: &Function) -> Vec<String> {
    let catalog = context.catalog();
    let calls = |text: &str| {
        text.contains(function.name.as_str())
            && inline::parse_body(text)
                .is_ok_and(|query| inline::calls(context, &query, function.oid))
    };
    let views = catalog.relations().filter(|view| query_of(view).is_some_and(calls));
    let views = views.map(|view| format!("{} {}", rights::kind_of(view), view.name));
    // Of several functions of the name another may take the call of a body, which is text.
    let alone = catalog.functions_named(function.schema, &function.name).count() == 1;
    let others = catalog.functions().filter(|one| one.oid != function.oid && calls(&one.body));
    let others = others.filter(|_| alone);
    let others = others.map(|one| format!("function {}", one.name));
    let users = views.chain(others);
    users.map(|user| format!("{user} depends on function {}", function.name)).collect()
}

/// The relation of a name and all that stand on it: what a change of it may change. Empty when
/// there is none.
pub(super) fn touched(context: &QueryContext, parts: &[String]) -> Result<Vec<Oid>> {
    let Some(Named::Relation(found)) = context.resolve(parts)? else { return Ok(Vec::new()) };
    let dependents = all_dependents(context.catalog(), found.oid);
    Ok(std::iter::once(found.oid).chain(dependents.iter().map(|one| one.oid)).collect())
}

/// [`dependents`] and the views that stand on those.
pub(super) fn all_dependents(catalog: &Catalog, relation: Oid) -> Vec<Arc<Relation>> {
    let mut found: Vec<Arc<Relation>> = Vec::new();
    let mut waiting = vec![relation];
    while let Some(oid) = waiting.pop() {
        for view in dependents(catalog, oid) {
            if !found.iter().any(|one| one.oid == view.oid) {
                waiting.push(view.oid);
                found.push(view);
            }
        }
    }
    found
}

/// The dependents that may use a column: they name it, or take all columns with `*`.
pub(super) fn users_of_column(
    catalog: &Catalog,
    relation: &Relation,
    column: &str,
) -> Vec<Arc<Relation>> {
    let schema = catalog.schema_by_oid(relation.schema).map(|schema| schema.name.clone());
    let name = [schema.unwrap_or_default(), relation.name.clone()];
    let mut views = dependents(catalog, relation.oid);
    views.retain(|view| {
        let query = query_of(view).and_then(|query| sql::parse::query(query).ok());
        query.is_none_or(|query| {
            let mut search = ColumnSearch { relation: &name, column };
            query.visit(&mut search).is_break()
        })
    });
    views
}

/// `cannot drop column a of table t because other objects depend on it` (2BP01).
/// `upon` is what the dependents stand on in particular, such as the index of a constraint.
pub(super) fn blocked(what: &str, upon: &str, dependents: &[String]) -> Error {
    let lines: Vec<String> =
        dependents.iter().map(|one| format!("{one} depends on {upon}")).collect();
    Error::new("2BP01", format!("cannot drop {what} because other objects depend on it"))
        .with_detail(lines.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

/// The dependents of a relation as they read once it is `schema.name`: its old name becomes the
/// alias, so that the rest of a query stays as it was.
///
/// # Errors
/// 42601 when a stored query does not parse, which no statement leaves behind.
pub(super) fn renamed(
    catalog: &Catalog,
    relation: &Relation,
    (schema, name): (&str, &str),
) -> Result<Vec<Relation>> {
    let Some(old_schema) = catalog.schema_by_oid(relation.schema) else { return Ok(Vec::new()) };
    let mut rename = Rename {
        from: [old_schema.name.clone(), relation.name.clone()],
        to: ObjectName::from(vec![plain(schema), plain(name)]),
    };
    let mut changed = Vec::new();
    for view in dependents(catalog, relation.oid) {
        let Some(query) = query_of(&view) else { continue };
        let mut query = sql::parse::query(query)?;
        let _ = VisitMut::visit(&mut query, &mut rename);
        changed.push(with_query(&view, &query));
    }
    Ok(changed)
}

/// The view with another query.
fn with_query(view: &Relation, query: &Query) -> Relation {
    let query = query.to_string();
    let kind = match &view.kind {
        RelationKind::MaterializedView { populated, .. } => {
            RelationKind::MaterializedView { query, populated: *populated }
        }
        _ => RelationKind::View { query },
    };
    Relation { kind, ..view.clone() }
}

fn query_of(relation: &Relation) -> Option<&str> {
    match &relation.kind {
        RelationKind::View { query } | RelationKind::MaterializedView { query, .. } => Some(query),
        RelationKind::Table | RelationKind::Sequence(_) | RelationKind::ForeignTable(_) => None,
    }
}

/// The names of relations in a stored query.
pub(crate) fn names_in(query: &str) -> BTreeSet<Vec<String>> {
    let mut names = BTreeSet::new();
    if let Ok(query) = sql::parse::query(query) {
        let _ = sqlparser::ast::visit_relations(&query, |name| {
            names.insert(name_parts(name));
            ControlFlow::<()>::Continue(())
        });
    }
    names
}

struct ColumnSearch<'a> {
    relation: &'a [String; 2],
    column: &'a str,
}

impl Visitor for ColumnSearch<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let all = select.projection.iter().any(|item| {
            matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
        });
        let joined = select.from.iter().flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        });
        let mut tables = joined.filter_map(|factor| match factor {
            TableFactor::Table { name, .. } => Some(name_parts(name)),
            _ => None,
        });
        if all && tables.any(|name| name == self.relation) {
            return ControlFlow::Break(());
        }
        // USING and NATURAL name columns outside of expressions.
        let joins = select.from.iter().flat_map(|table| &table.joins);
        let named = |text: String| {
            let text = text.to_lowercase();
            text.contains("natural")
                || text.contains("using") && text.contains(&self.column.to_lowercase())
        };
        match joins.map(ToString::to_string).any(named) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let last = match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        match last.is_some_and(|name| folded(name) == self.column) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

struct Rename {
    from: [String; 2],
    to: ObjectName,
}

impl VisitorMut for Rename {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && name_parts(name) == self.from
        {
            name.clone_from(&self.to);
            let label = plain(&self.from[1]);
            let unchanged = self.to.0.last().and_then(|part| part.as_ident()) == Some(&label);
            if alias.is_none() && !unchanged {
                *alias =
                    Some(TableAlias { explicit: true, name: label, columns: Vec::new(), at: None });
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // `schema.table.column` names the alias now.
        if let Expr::CompoundIdentifier(parts) = expr
            && parts.len() > 2
            && parts.iter().zip(&self.from).all(|(part, name)| folded(part) == *name)
        {
            parts.remove(0);
        }
        ControlFlow::Continue(())
    }
}
