//! Functions that return sets in a select list, beside an output that has the name of a column:
//! `SELECT unnest(keys), upper(name) AS name FROM t`. DataFusion evaluates the list in two steps and
//! takes both for one in the second; here the outputs get their names in a query around the list.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, Ident, OrderByKind, Query, SelectItem, SetExpr, TableFactor, Value, Visit,
    Visitor,
};

use crate::planning::output_names::MARK;
use crate::sql::place::{folded, name_parts};

/// Puts such a list into a query of its own.
pub(super) fn separate(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let names: Option<Vec<String>> = select.projection.iter().map(name_of).collect();
    let Some(names) = names else { return };
    let mut seen = Seen::default();
    let _ = select.projection.visit(&mut seen);
    let meets = |item: &SelectItem| {
        matches!(item, SelectItem::ExprWithAlias { expr, alias }
        if !is_column(expr) && seen.columns.contains(&folded(alias)))
    };
    if !select.projection.iter().any(meets)
        || !seen.sets()
        || matches!(select.distinct, Some(Distinct::On(_)))
        || !orders_by_outputs(query, &names)
    {
        return;
    }
    let Ok(mut around) = crate::sql::parse::query("SELECT 1 FROM (SELECT 1) AS rows") else {
        return;
    };
    let SetExpr::Select(outer) = around.body.as_mut() else { return };
    let SetExpr::Select(inner) = query.body.as_mut() else { return };
    let mut projection = Vec::with_capacity(names.len());
    for (place, (item, name)) in inner.projection.iter_mut().zip(&names).enumerate() {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            return;
        };
        let own = Ident::with_quote('"', format!("{name}{MARK}{place}"));
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: own.clone() };
        let alias = Ident::with_quote('"', name);
        projection.push(SelectItem::ExprWithAlias { expr: Expr::Identifier(own), alias });
    }
    outer.projection = projection;
    if let Some(TableFactor::Derived { subquery, .. }) =
        outer.from.first_mut().map(|table| &mut table.relation)
    {
        std::mem::swap(&mut subquery.body, &mut query.body);
    }
    query.body = around.body;
}

fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(folded(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(folded),
        _ => None,
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn orders_by_outputs(query: &Query, names: &[String]) -> bool {
    let Some(order) = &query.order_by else { return true };
    let OrderByKind::Expressions(keys) = &order.kind else { return false };
    keys.iter().all(|key| match &key.expr {
        Expr::Identifier(name) => names.contains(&folded(name)),
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        _ => false,
    })
}

/// What a select list names.
#[derive(Default)]
struct Seen {
    columns: HashSet<String>,
    functions: HashSet<String>,
}

impl Seen {
    /// Whether there is a function that returns a set.
    fn sets(&self) -> bool {
        let known = clientele_udfs::functions::set_returning();
        let known = known.iter().map(|one| one.name).chain(["unnest"]);
        known.into_iter().any(|name| self.functions.contains(name))
    }
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => drop(self.columns.insert(folded(name))),
            Expr::CompoundIdentifier(parts) => self.columns.extend(parts.last().map(folded)),
            Expr::Function(function) => {
                self.functions.extend(name_parts(&function.name).pop());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
