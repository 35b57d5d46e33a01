//! `FROM t AS x (a)` renames the first columns of t alone (manual: sql-select, FROM): the others keep
//! their names, which DataFusion wants to be told.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor,
    VisitMut, VisitorMut,
};

use super::context::{Named, QueryContext};
use crate::sql::place::{folded, name_parts};

/// Adds the names that are missing; false where the error is another, or none can be told.
pub(super) fn complete(
    context: &Arc<QueryContext>,
    query: &mut Query,
    error: &DataFusionError,
) -> bool {
    if !error.to_string().contains("names given as column alias") {
        return false;
    }
    let mut completer = Completer { context, queries: Vec::new(), done: false };
    let _ = VisitMut::visit(query, &mut completer);
    completer.done
}

struct Completer<'a> {
    context: &'a Arc<QueryContext>,
    /// Queries of WITH and their columns.
    queries: Vec<(String, Option<Vec<String>>)>,
    done: bool,
}

impl VisitorMut for Completer<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            let columns = outputs(&cte.query);
            if !cte.alias.columns.is_empty() {
                self.done |= extend(&mut cte.alias, columns.as_deref());
            }
            let named = cte.alias.columns.iter().map(|column| folded(&column.name));
            let columns =
                if cte.alias.columns.is_empty() { columns } else { Some(named.collect()) };
            self.queries.push((folded(&cte.alias.name), columns));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let columns = match &*factor {
            TableFactor::Table { name, args: None, alias: Some(alias), .. }
                if !alias.columns.is_empty() =>
            {
                self.columns(&name_parts(name))
            }
            TableFactor::Derived { subquery, alias: Some(alias), .. }
                if !alias.columns.is_empty() =>
            {
                outputs(subquery)
            }
            _ => None,
        };
        if let TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } = factor
        {
            self.done |= extend(alias, columns.as_deref());
        }
        ControlFlow::Continue(())
    }
}

impl Completer<'_> {
    fn columns(&self, parts: &[String]) -> Option<Vec<String>> {
        if let [name] = parts
            && let Some((_, columns)) = self.queries.iter().rev().find(|(one, _)| one == name)
        {
            return columns.clone();
        }
        match self.context.find_relation(parts).ok()?? {
            Named::Relation(relation) => {
                Some(relation.live_columns().map(|column| column.name.clone()).collect())
            }
            Named::System(schema, name) => {
                let relation = clientele_catalog::pg_catalog::system_relation(schema, &name)?;
                Some(relation.columns().map(|(name, ..)| name.to_owned()).collect())
            }
        }
    }
}

fn extend(alias: &mut TableAlias, columns: Option<&[String]>) -> bool {
    let rest = columns.and_then(|columns| columns.get(alias.columns.len()..)).unwrap_or_default();
    let named =
        |name: &String| TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None };
    alias.columns.extend(rest.iter().map(named));
    !rest.is_empty()
}

/// The names of a query's columns, where its text tells them.
fn outputs(query: &Query) -> Option<Vec<String>> {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => return outputs(query),
            SetExpr::Select(select) => return select.projection.iter().map(output).collect(),
            SetExpr::Values(values) => {
                let width = values.rows.first()?.len();
                return Some((1..=width).map(|place| format!("column{place}")).collect());
            }
            _ => return None,
        }
    }
}

fn output(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(folded(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(folded),
        _ => None,
    }
}
