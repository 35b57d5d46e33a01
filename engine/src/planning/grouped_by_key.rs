//! A table whose primary key is grouped by has one row in each group: its other columns may be
//! named beside aggregates (manual: sql-select, GROUP BY). They are grouped by, too.

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{ConstraintKind, Relation};
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::context::{Named, QueryContext};
use crate::sql::place::{folded, name_parts};

/// Adds such columns to GROUP BY; false where there are none.
pub(super) fn complete(context: &Arc<QueryContext>, query: &mut Query) -> bool {
    let mut completer = Completer { context, done: false };
    let _ = VisitMut::visit(query, &mut completer);
    completer.done
}

struct Completer<'a> {
    context: &'a Arc<QueryContext>,
    done: bool,
}

impl VisitorMut for Completer<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_mut(), &query.order_by) {
            let mut named = Columns::default();
            let _ = Visit::visit(order, &mut named);
            self.add(select, &named.0);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut named = Columns::default();
        let _ = Visit::visit(&select.projection, &mut named);
        let _ = Visit::visit(&select.having, &mut named);
        self.add(select, &named.0);
        ControlFlow::Continue(())
    }
}

impl Completer<'_> {
    fn add(&mut self, select: &mut Select, named: &[Expr]) {
        let GroupByExpr::Expressions(groups, _) = &select.group_by else { return };
        if groups.is_empty() {
            return;
        }
        let grouped: Vec<Expr> =
            groups.iter().map(|group| by_place(group, &select.projection)).collect();
        let factors = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        let keyed: Vec<_> = factors
            .filter_map(|factor| self.table(factor))
            .filter(|(alias, table)| is_grouped(alias, table, &grouped))
            .collect();
        let mut added: Vec<Expr> = vec![];
        for (alias, table) in keyed {
            let whole = select.projection.iter().any(|item| shows_all(item, &alias));
            let all = table.live_columns().filter(|_| whole).map(|column| {
                let parts = [&alias, &column.name].map(|part| Ident::with_quote('"', part));
                Expr::CompoundIdentifier(parts.into())
            });
            for expr in all.chain(named.iter().cloned()) {
                let Some(name) = column(&expr, &alias) else { continue };
                let is_name = |one: &Expr| column(one, &alias).as_ref() == Some(&name);
                if table.column(&name).is_some() && !grouped.iter().chain(&added).any(is_name) {
                    added.push(expr);
                }
            }
        }
        self.done |= !added.is_empty();
        if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
            groups.extend(added);
        }
    }

    fn table(&self, factor: &TableFactor) -> Option<(String, Arc<Relation>)> {
        let TableFactor::Table { name, alias, .. } = factor else { return None };
        let parts = name_parts(name);
        let alias = match alias {
            Some(alias) if !alias.columns.is_empty() => return None,
            Some(alias) => folded(&alias.name),
            None => parts.last()?.clone(),
        };
        match self.context.find_relation(&parts).ok()?? {
            Named::Relation(relation) => Some((alias, relation)),
            Named::System(..) => None,
        }
    }
}

/// `*` and `t.*`.
fn shows_all(item: &SelectItem, alias: &str) -> bool {
    match item {
        SelectItem::Wildcard(_) => true,
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            name_parts(name).pop().is_some_and(|name| name == alias)
        }
        _ => false,
    }
}

/// `GROUP BY 1` is by the first item.
fn by_place(group: &Expr, items: &[SelectItem]) -> Expr {
    let item = match group {
        Expr::Value(value) => match &value.value {
            Value::Number(place, _) => {
                let place = place.to_string().parse::<usize>().ok();
                place.and_then(|place| items.get(place.checked_sub(1)?))
            }
            _ => None,
        },
        _ => None,
    };
    match item {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => {
            expr.clone()
        }
        _ => group.clone(),
    }
}

/// Whether all columns of the primary key are grouped by.
fn is_grouped(alias: &str, table: &Relation, groups: &[Expr]) -> bool {
    let Some(ConstraintKind::PrimaryKey { columns }) = table.primary_key().map(|key| &key.kind)
    else {
        return false;
    };
    columns.iter().all(|number| {
        let key = table.column_by_number(*number).map(|column| &column.name);
        groups.iter().any(|group| column(group, alias).as_ref() == key)
    })
}

/// The column's name, where it may be one of the relation.
fn column(expr: &Expr, alias: &str) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(folded(ident)),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., table, name] if folded(table) == alias => Some(folded(name)),
            _ => None,
        },
        _ => None,
    }
}

/// Columns that are named.
#[derive(Default)]
struct Columns(Vec<Expr>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            self.0.push(expr.clone());
        }
        ControlFlow::Continue(())
    }
}
