//! The conditions of a definition, each with a query that tells for whom it holds.
//!
//! `SELECT customer_id FROM shop.orders WHERE store = 'online' GROUP BY 1 HAVING sum(total) > 100`
//!
//! | position | clause | condition |
//! |---|---|---|
//! | 1 | FROM | shop.orders |
//! | 2 | WHERE | store = 'online' |
//! | 3 | HAVING | sum(total) > 100 |
//!
//! A condition on rows holds for a customer when it holds for one of his rows; one on groups is
//! computed from the rows that the WHERE clause lets through. What stands within OR or NOT has
//! positions 2.1, 2.2; sides of UNION, INTERSECT and EXCEPT count as such parts, and so do the
//! conditions of queries in FROM and WITH that give customers, unless a LIMIT chooses among them.

use sqlparser::ast::{
    BinaryOperator, Cte, Expr, GroupByExpr, JoinConstraint, JoinOperator, Query, Select,
    SelectItem, SetExpr, TableFactor, TableWithJoins, UnaryOperator, Value, With,
};

use super::definition::key_of;
use crate::error::Result;
use crate::sql;
use crate::sql::place::{folded, name_parts};
use crate::sql::template::{Part, filled};

/// Deepest nesting of OR and NOT that is taken apart.
const DEPTH_MAX: usize = 8;

/// One condition.
pub(super) struct Condition {
    /// `2.1`: its place.
    pub(super) position: String,
    /// `WHERE`, `HAVING`, `JOIN` …
    pub(super) clause: &'static str,
    /// Its text.
    pub(super) text: String,
    /// Columns: the subject, `value` and `holds`; a row for each subject that has rows at all.
    pub(super) query: Query,
    /// Whether it is no part of another one.
    pub(super) whole: bool,
}

/// The conditions of a definition.
pub(super) fn of(query: &Query, subject: &'static str) -> Result<Vec<Condition>> {
    let mut walk = Walk { with: query.with.clone(), subject, found: Vec::new(), next: 0 };
    walk.body(&query.body, "")?;
    Ok(walk.found)
}

struct Walk {
    with: Option<With>,
    subject: &'static str,
    found: Vec<Condition>,
    next: usize,
}

/// Where a condition stands.
struct Place<'a> {
    clause: &'static str,
    position: String,
    select: &'a Select,
    depth: usize,
}

impl Walk {
    fn position(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    fn body(&mut self, body: &SetExpr, prefix: &str) -> Result<()> {
        match body {
            SetExpr::Select(select) => self.select(select, prefix),
            SetExpr::Query(query) if query.with.is_none() => self.body(&query.body, prefix),
            SetExpr::SetOperation { op, left, right, .. } => {
                let word = match op {
                    sqlparser::ast::SetOperator::Union => "UNION",
                    sqlparser::ast::SetOperator::Intersect => "INTERSECT",
                    _ => "EXCEPT",
                };
                self.side(left, word, prefix)?;
                self.side(right, word, prefix)
            }
            _ => Ok(()),
        }
    }

    /// A side of UNION and its like: who is in it, then its own conditions.
    fn side(&mut self, side: &SetExpr, clause: &'static str, prefix: &str) -> Result<()> {
        let position = self.position(prefix);
        let mut query = sql::parse::query("SELECT 1")?;
        *query.body = side.clone();
        query.with.clone_from(&self.with);
        let template = format!(
            "SELECT {0}, NULL::text AS value, true AS holds FROM \"<side>\" AS side GROUP BY {0}",
            self.subject
        );
        let rows = filled(&template, &[("side", Part::Query(&query))])?;
        let whole = prefix.is_empty();
        let (own, next) = (format!("{position}."), std::mem::take(&mut self.next));
        let text = side.to_string();
        self.found.push(Condition { position, clause, text, query: rows, whole });
        self.body(side, &own)?;
        self.next = next;
        Ok(())
    }

    fn select(&mut self, select: &Select, prefix: &str) -> Result<()> {
        let Some(key) = key_of(select, self.subject) else { return Ok(()) };
        self.from(select, key, prefix)?;
        let where_parts = select.selection.iter().flat_map(conjuncts);
        let having_parts = select.having.iter().flat_map(conjuncts);
        let parts: Vec<(&'static str, &Expr)> = where_parts
            .map(|part| ("WHERE", part))
            .chain(having_parts.map(|part| ("HAVING", part)))
            .collect();
        for (clause, part) in parts {
            let position = self.position(prefix);
            self.condition(part, &Place { clause, position, select, depth: 0 }, prefix.is_empty())?;
        }
        Ok(())
    }

    /// The tables, as far as it can be told from them who is meant.
    fn from(&mut self, select: &Select, key: &Expr, prefix: &str) -> Result<()> {
        let [table] = select.from.as_slice() else { return Ok(()) };
        for joins in 0..=table.joins.len() {
            let (clause, text) = match joins.checked_sub(1).and_then(|at| table.joins.get(at)) {
                None => ("FROM", table.relation.to_string()),
                Some(join) if restricts(&join.join_operator) => {
                    ("JOIN", join.to_string().trim().to_owned())
                }
                Some(_) => continue,
            };
            let tables = TableWithJoins {
                relation: table.relation.clone(),
                joins: table.joins[..joins].to_vec(),
            };
            if !names(&tables, table, key) {
                continue;
            }
            let mut rows = select.clone();
            rows.from = vec![tables];
            rows.selection = None;
            rows.group_by = GroupByExpr::Expressions(vec![], vec![]);
            let position = self.position(prefix);
            let query = self.rows(rows, key, (None, sql::parse::expression("true")?))?;
            let whole = prefix.is_empty();
            let own = format!("{position}.");
            self.found.push(Condition { position, clause, text, query, whole });
            let inner = match joins.checked_sub(1).and_then(|at| table.joins.get(at)) {
                None if names_subject(key, self.subject) => self.inner(&table.relation),
                Some(join) if joins_subject(join, self.subject) => self.inner(&join.relation),
                _ => None,
            };
            if let Some(inner) = inner {
                let next = std::mem::take(&mut self.next);
                self.body(&inner.body, &own)?;
                self.next = next;
            }
        }
        Ok(())
    }

    /// The query that stands in FROM, there or in WITH, if its rows are chosen by conditions alone.
    fn inner(&self, factor: &TableFactor) -> Option<Query> {
        let query = match factor {
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), .. }
                if alias.columns.is_empty() =>
            {
                subquery
            }
            TableFactor::Table { name, args: None, alias, .. }
                if alias.as_ref().is_none_or(|alias| alias.columns.is_empty()) =>
            {
                let [name] = name_parts(name).try_into().ok()?;
                let with = self.with.as_ref().filter(|with| !with.recursive)?;
                let named = |cte: &&Cte| folded(&cte.alias.name) == name;
                let cte = with.cte_tables.iter().find(named)?;
                Some(&cte.query).filter(|_| cte.alias.columns.is_empty())?
            }
            _ => return None,
        };
        let chooses = query.limit_clause.is_some() || query.fetch.is_some();
        let mut query = query.as_ref().clone();
        if let SetExpr::Select(select) = query.body.as_mut() {
            // All columns of one table are those of its subject as well.
            let is_all = select.projection.iter().any(|one| matches!(one, SelectItem::Wildcard(_)));
            if is_all && matches!(select.from.as_slice(), [one] if one.joins.is_empty()) {
                let subject = sqlparser::ast::Ident::new(self.subject);
                select.projection.push(SelectItem::UnnamedExpr(Expr::Identifier(subject)));
            }
        }
        (query.with.is_none() && !chooses).then_some(query)
    }

    fn condition(&mut self, expr: &Expr, place: &Place<'_>, whole: bool) -> Result<()> {
        let Some(key) = key_of(place.select, self.subject) else { return Ok(()) };
        let mut rows = place.select.clone();
        if place.clause == "WHERE" {
            rows.selection = None;
            rows.group_by = GroupByExpr::Expressions(vec![], vec![]);
        } else {
            rows.group_by = spelled_out(&rows);
        }
        let query = self.rows(rows, key, (value_of(expr).cloned(), expr.clone()))?;
        let (position, text) = (place.position.clone(), expr.to_string());
        self.found.push(Condition { position, clause: place.clause, text, query, whole });
        if place.depth >= DEPTH_MAX {
            return Ok(());
        }
        for (number, part) in parts(expr).into_iter().enumerate() {
            let position = format!("{}.{}", place.position, number + 1);
            let inner = Place { position, depth: place.depth + 1, ..*place };
            self.condition(part, &inner, false)?;
        }
        Ok(())
    }

    /// One row for each subject: a value that was seen, one that holds if there is one.
    fn rows(&self, mut select: Select, key: &Expr, seen: (Option<Expr>, Expr)) -> Result<Query> {
        let name = |expr, name: &str| SelectItem::ExprWithAlias {
            expr,
            alias: sqlparser::ast::Ident::new(name),
        };
        let (value, holds) = seen;
        let text = sqlparser::ast::DataType::Text;
        let value = value.unwrap_or_else(|| Expr::Value(Value::Null.with_empty_span()));
        let never = Expr::Value(Value::Boolean(false).with_empty_span());
        select.projection = vec![
            name(key.clone(), self.subject),
            name(sql::rewrite::cast(value, text), "value"),
            name(sql::rewrite::call("coalesce", vec![holds, never]), "holds"),
        ];
        (select.distinct, select.having, select.qualify) = (None, None, None);
        let mut inner = sql::parse::query("SELECT 1")?;
        inner.with.clone_from(&self.with);
        *inner.body = SetExpr::Select(Box::new(select));
        let template = format!(
            "SELECT {0}, coalesce(max(value) FILTER (WHERE holds), max(value)) AS value, \
             bool_or(holds) AS holds FROM \"<rows>\" AS seen_rows GROUP BY {0}",
            self.subject
        );
        filled(&template, &[("rows", Part::Query(&inner))])
    }
}

/// Whether a join leaves out rows that find no partner.
fn restricts(join: &JoinOperator) -> bool {
    matches!(join, JoinOperator::Join(_) | JoinOperator::Inner(_))
}

/// Whether an expression is a column that is called as the subject is.
fn names_subject(expr: &Expr, subject: &str) -> bool {
    match bare(expr) {
        Expr::Identifier(name) => folded(name) == subject,
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|one| folded(one) == subject),
        _ => false,
    }
}

/// Whether a join is by the subject, so that conditions of its table are about the same one.
fn joins_subject(join: &sqlparser::ast::Join, subject: &str) -> bool {
    match constraint(&join.join_operator) {
        Some(JoinConstraint::Using(columns)) => {
            columns.iter().any(|column| name_parts(column).last().is_some_and(|one| one == subject))
        }
        Some(JoinConstraint::On(condition)) => conjuncts(condition).into_iter().any(|one| {
            matches!(one, Expr::BinaryOp { left, op: BinaryOperator::Eq, right }
                if names_subject(left, subject) && names_subject(right, subject))
        }),
        _ => false,
    }
}

/// Whether a key can be read from the first tables of a FROM clause.
fn names(tables: &TableWithJoins, all: &TableWithJoins, key: &Expr) -> bool {
    let factors =
        std::iter::once(&tables.relation).chain(tables.joins.iter().map(|join| &join.relation));
    match key {
        Expr::CompoundIdentifier(parts) => {
            let table = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(folded);
            factors.into_iter().filter_map(name_of).any(|name| Some(name) == table)
        }
        Expr::Identifier(name) => {
            let uses = |join: &sqlparser::ast::Join| match constraint(&join.join_operator) {
                Some(JoinConstraint::Using(columns)) => {
                    columns.iter().any(|column| name_parts(column).last() == Some(&folded(name)))
                }
                _ => false,
            };
            tables.joins.len() == all.joins.len() || all.joins.iter().all(uses)
        }
        _ => tables.joins.len() == all.joins.len(),
    }
}

fn constraint(join: &JoinOperator) -> Option<&JoinConstraint> {
    match join {
        JoinOperator::Join(one)
        | JoinOperator::Inner(one)
        | JoinOperator::Left(one)
        | JoinOperator::LeftOuter(one) => Some(one),
        _ => None,
    }
}

fn name_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } => Some(folded(&alias.name)),
        TableFactor::Table { name, .. } => name_parts(name).pop(),
        _ => None,
    }
}

/// GROUP BY with expressions in place of numbers of outputs.
fn spelled_out(select: &Select) -> GroupByExpr {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
        return select.group_by.clone();
    };
    let output = |key: &Expr| {
        let Expr::Value(value) = key else { return None };
        let Value::Number(number, _) = &value.value else { return None };
        let place = number.parse::<usize>().ok()?.checked_sub(1)?;
        match select.projection.get(place)? {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                Some(expr.clone())
            }
            _ => None,
        }
    };
    let keys = keys.iter().map(|key| output(key).unwrap_or_else(|| key.clone()));
    GroupByExpr::Expressions(keys.collect(), modifiers.clone())
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// What stands between AND.
fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    operands(expr, &BinaryOperator::And)
}

fn operands<'a>(expr: &'a Expr, operator: &BinaryOperator) -> Vec<&'a Expr> {
    match bare(expr) {
        Expr::BinaryOp { left, op, right } if op == operator => {
            [operands(left, operator), operands(right, operator)].concat()
        }
        other => vec![other],
    }
}

/// The conditions that one is made of, when it is made of several.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match bare(expr) {
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            operands(expr, op)
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => match bare(inner) {
            whole @ Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => {
                parts(whole)
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a condition looks at.
fn value_of(expr: &Expr) -> Option<&Expr> {
    match bare(expr) {
        Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. }
        | Expr::Exists { .. } => None,
        Expr::BinaryOp { left, right, .. } => match bare(left) {
            Expr::Value(_) => Some(right),
            _ => Some(left),
        },
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => value_of(expr),
        Expr::Between { expr, .. }
        | Expr::InList { expr, .. }
        | Expr::InSubquery { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::ILike { expr, .. }
        | Expr::IsNull(expr)
        | Expr::IsNotNull(expr)
        | Expr::IsTrue(expr)
        | Expr::IsNotTrue(expr)
        | Expr::IsFalse(expr)
        | Expr::IsNotFalse(expr)
        | Expr::IsDistinctFrom(expr, _)
        | Expr::IsNotDistinctFrom(expr, _) => Some(expr),
        other => Some(other),
    }
}
