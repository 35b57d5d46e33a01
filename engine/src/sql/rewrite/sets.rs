//! Functions that return sets in a select list, beside an output that has the name of a column:
//! `SELECT unnest(keys), upper(name) AS name FROM t`. DataFusion evaluates the list in two steps and
//! takes both for one in the second; here the outputs get their names in a query around the list.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, Ident, OrderByKind, OrderByOptions, Query, Select, SelectItem, SetExpr,
    TableFactor, Value, Visit, Visitor,
};

use crate::planning::output_names::MARK;
use crate::sql::place::{folded, name_parts};

/// Sorts outside of the query what is sorted by something that the list does not show: DataFusion sorts
/// the rows that the functions made, which have the outputs alone. Rows made of one stay in order.
pub(super) fn sort_outside(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let names: Option<Vec<String>> = select.projection.iter().map(name_of).collect();
    let Some(names) = names else { return };
    let mut seen = Seen::default();
    let _ = select.projection.visit(&mut seen);
    if !seen.sets() || select.distinct.is_some() || orders_by_outputs(query, &names) {
        return;
    }
    let around = "SELECT 1 FROM (SELECT *, row_number() OVER () AS \"sorted last\" \
                  FROM (SELECT 1) AS made) AS rows";
    let Ok(mut around) = crate::sql::parse::query(around) else { return };
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_mut().map(|one| &mut one.kind)
    else {
        return;
    };
    let mut hidden = Vec::new();
    for key in keys.iter_mut().filter(|key| !is_output(&key.expr, &names)) {
        let own = Ident::with_quote('"', format!("sorted by {}", hidden.len()));
        let expr = std::mem::replace(&mut key.expr, Expr::Identifier(own.clone()));
        hidden.push(SelectItem::ExprWithAlias { expr, alias: own });
    }
    if let Ok(last) = crate::sql::parse::expression("\"sorted last\"")
        && let Some(mut key) = keys.first().cloned()
    {
        (key.expr, key.options) = (last, OrderByOptions { asc: None, nulls_first: None });
        keys.push(key);
    }
    let SetExpr::Select(inner) = query.body.as_mut() else { return };
    // GROUP BY may name an output, which then keeps its name.
    let mut grouped = Seen::default();
    let _ = inner.group_by.visit(&mut grouped);
    let mut shown = Vec::with_capacity(names.len());
    for (place, (item, name)) in inner.projection.iter_mut().zip(&names).enumerate() {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            return;
        };
        let own = match grouped.columns.contains(name) {
            true => name.clone(),
            false => format!("{name}{MARK}{place}"),
        };
        let own = Ident::with_quote('"', own);
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: own.clone() };
        let alias = Ident::with_quote('"', name);
        shown.push(SelectItem::ExprWithAlias { expr: Expr::Identifier(own), alias });
    }
    inner.projection.extend(hidden);
    if let SetExpr::Select(outer) = around.body.as_mut() {
        outer.projection = shown;
        if let Some(middle) = derived(outer)
            && let SetExpr::Select(middle) = middle.body.as_mut()
            && let Some(inmost) = derived(middle)
        {
            std::mem::swap(&mut inmost.body, &mut query.body);
        }
    }
    query.body = around.body;
}

/// The query that a select is over.
fn derived(select: &mut Select) -> Option<&mut Query> {
    match &mut select.from.first_mut()?.relation {
        TableFactor::Derived { subquery, .. } => Some(subquery),
        _ => None,
    }
}

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
    keys.iter().all(|key| is_output(&key.expr, names))
}

fn is_output(key: &Expr, names: &[String]) -> bool {
    match key {
        Expr::Identifier(name) => names.contains(&folded(name)),
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        _ => false,
    }
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
