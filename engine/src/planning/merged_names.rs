//! The merged column of `JOIN … USING (id)` named alone in WHERE, in the conditions of later joins and
//! anywhere in subqueries: DataFusion finds it ambiguous there, so it gets the table that it is of.

use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem,
    SetExpr, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use crate::sql::place::{folded, name_parts};
use crate::sql::rewrite::call;

/// Names the table of a column that was found ambiguous; false where no join has merged it.
pub(super) fn qualify(query: &mut Query, error: &DataFusionError) -> bool {
    let DataFusionError::SchemaError(inner, _) = error.find_root() else { return false };
    let SchemaError::AmbiguousReference { field } = inner.as_ref() else { return false };
    let mut qualify = Qualify { name: &field.name, done: false };
    if field.relation.is_none() {
        let _ = VisitMut::visit(query, &mut qualify);
    }
    qualify.done
}

/// Names the tables of merged columns in queries within expressions, and LATERAL ones: what is ambiguous
/// there DataFusion looks for in the queries around.
pub(super) fn qualify_within(query: &mut Query) {
    let _ = VisitMut::visit(query, &mut Within { depth: 0 });
}

struct Within {
    /// How many queries around may be looked at.
    depth: usize,
}

impl VisitorMut for Within {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.depth += usize::from(has_query(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.depth -= usize::from(has_query(expr));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.depth += usize::from(is_lateral(factor));
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.depth -= usize::from(is_lateral(factor));
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let SetExpr::Select(select) = query.body.as_mut() else { return ControlFlow::Continue(()) };
        let mut joins = select.from.iter().flat_map(|from| &from.joins);
        let full = joins.any(|join| matches!(join.join_operator, JoinOperator::FullOuter(_)));
        if self.depth == 0 || full {
            return ControlFlow::Continue(());
        }
        for name in merged_by_name(select) {
            let mut qualify = Qualify { name: &name, done: false };
            let merged: Vec<Expr> =
                select.from.iter_mut().filter_map(|from| qualify.merged(from)).collect();
            let [with] = merged.as_slice() else { continue };
            for item in &mut select.projection {
                keep_name(item, &name);
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                {
                    replace(expr, &name, with);
                }
            }
            let grouped = match &mut select.group_by {
                GroupByExpr::Expressions(groups, _) => groups.as_mut_slice(),
                GroupByExpr::All(_) => &mut [],
            };
            let clauses = grouped.iter_mut().chain(&mut select.selection).chain(&mut select.having);
            clauses.for_each(|clause| {
                replace(clause, &name, with);
            });
        }
        ControlFlow::Continue(())
    }
}

fn has_query(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. })
}

fn is_lateral(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Derived { lateral: true, .. })
}

/// The columns that the joins of a select merge by name; those of NATURAL joins are not told.
fn merged_by_name(select: &mut Select) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
        if let Some(JoinConstraint::Using(columns)) = constraint(&mut join.join_operator) {
            names.extend(columns.iter().filter_map(|column| name_parts(column).pop()));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// A merged column is called by its own name.
fn keep_name(item: &mut SelectItem, name: &str) {
    if let SelectItem::UnnamedExpr(expr) = item
        && matches!(expr, Expr::Identifier(ident) if folded(ident) == name)
    {
        let alias = Ident::with_quote('"', name);
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}

struct Qualify<'a> {
    name: &'a str,
    done: bool,
}

impl VisitorMut for Qualify<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for from in &mut select.from {
            if let (Some(with), Some(condition)) = (self.merged(from), &mut select.selection) {
                self.done |= replace(condition, self.name, &with);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Qualify<'_> {
    /// What the merged column is when all joins are made; names it in their conditions.
    fn merged(&mut self, from: &mut TableWithJoins) -> Option<Expr> {
        let first = table_of(&from.relation).map(|table| self.column(&table));
        let mut merged = None;
        for (place, join) in from.joins.iter_mut().enumerate() {
            if let (Some(with), Some(JoinConstraint::On(condition))) =
                (&merged, constraint(&mut join.join_operator))
            {
                self.done |= replace(condition, self.name, with);
            }
            if !self.merges(join) {
                continue;
            }
            let right = table_of(&join.relation).map(|table| self.column(&table));
            let left = merged.or_else(|| first.clone().filter(|_| place == 0));
            merged = match &join.join_operator {
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => left,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right,
                JoinOperator::FullOuter(_) => {
                    left.zip(right).map(|(left, right)| call("coalesce", vec![left, right]))
                }
                // Both sides are equal.
                _ => left.or(right),
            };
        }
        merged
    }

    fn column(&self, table: &str) -> Expr {
        let parts = [table, self.name].map(|part| Ident::with_quote('"', part));
        Expr::CompoundIdentifier(parts.into())
    }

    fn merges(&self, join: &mut Join) -> bool {
        match constraint(&mut join.join_operator) {
            Some(JoinConstraint::Using(columns)) => columns
                .iter()
                .any(|column| name_parts(column).last().is_some_and(|last| last == self.name)),
            Some(JoinConstraint::Natural) => true,
            _ => false,
        }
    }
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(one)
        | JoinOperator::Inner(one)
        | JoinOperator::Left(one)
        | JoinOperator::LeftOuter(one)
        | JoinOperator::Right(one)
        | JoinOperator::RightOuter(one)
        | JoinOperator::FullOuter(one) => Some(one),
        _ => None,
    }
}

/// The name under which a relation's columns are known.
fn table_of(factor: &TableFactor) -> Option<String> {
    let (name, alias) = match factor {
        TableFactor::Table { name, alias, .. } => (name_parts(name).pop(), alias),
        TableFactor::Derived { alias, .. } => (None, alias),
        TableFactor::Function { name, alias, .. } => (name_parts(name).pop(), alias),
        _ => return None,
    };
    alias.as_ref().map(|alias| folded(&alias.name)).or(name)
}

/// Replaces a name in an expression, but not in the queries within, which have names of their own.
fn replace(expr: &mut Expr, name: &str, with: &Expr) -> bool {
    struct Replace<'a> {
        name: &'a str,
        with: &'a Expr,
        depth: usize,
        done: bool,
    }
    impl VisitorMut for Replace<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if self.depth == 0
                && matches!(expr, Expr::Identifier(ident) if folded(ident) == self.name)
            {
                *expr = self.with.clone();
                self.done = true;
            }
            ControlFlow::Continue(())
        }
    }
    let mut replace = Replace { name, with, depth: 0, done: false };
    let _ = VisitMut::visit(expr, &mut replace);
    replace.done
}
