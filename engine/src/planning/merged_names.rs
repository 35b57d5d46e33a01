//! The merged column of `JOIN … USING (id)` named alone in WHERE and in the conditions of later
//! joins: DataFusion finds it ambiguous there, so it gets the table that it is of.

use std::ops::ControlFlow;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, TableFactor, TableWithJoins,
    VisitMut, VisitorMut,
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
