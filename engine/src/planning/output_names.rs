//! Names of result columns as PostgreSQL gives them (manual: queries-select-lists).
//!
//! Before: `SELECT count(*), 1, lower(x) FROM t`. After: `SELECT count(*) AS count, 1 AS "?column?",
//! lower(x) AS lower FROM t`. DataFusion wants the names of one SELECT to differ: a name that
//! comes again gets a suffix behind [`MARK`], which [`shown`] cuts off again.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::error::Result;
use datafusion::logical_expr::{self, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{
    Expr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Visit, VisitMut, Visitor,
    VisitorMut,
};

use crate::sql::place::{folded, name_parts};

/// What separates a name from the suffix that makes it unique; not a character that users type.
pub const MARK: char = '\u{1}';

/// The name without its suffix.
pub fn shown(name: &str) -> &str {
    name.split(MARK).next().unwrap_or_default()
}

/// A line of text, such as a plan's, without the suffixes.
pub fn shown_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut hidden = false;
    for character in line.chars() {
        hidden = character == MARK || hidden && character.is_ascii_digit();
        if !hidden {
            shown.push(character);
        }
    }
    shown
}

/// A view's plan without suffixes: its columns are known by their names.
///
/// # Errors
/// A plan that cannot be built.
pub fn unmarked(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let names: HashSet<&str> = schema.fields().iter().map(|field| shown(field.name())).collect();
    let marked = schema.fields().iter().any(|field| field.name().contains(MARK));
    if !marked || names.len() < schema.fields().len() {
        return Ok(plan);
    }
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = logical_expr::Expr::Column(Column::from((qualifier, field)));
        if field.name().contains(MARK) { column.alias(shown(field.name())) } else { column }
    });
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Names every output column of every SELECT in the query. Columns beside a `*` keep their names,
/// by which a query around it may know them; where the star has such a name, too, they must not.
pub fn name_outputs(query: &mut Query, beside_star: Beside) {
    let _ = VisitMut::visit(query, &mut Namer { beside_star, depth: 0 });
}

/// How columns beside a `*` are named in queries within; nobody knows the outermost ones by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// As they are.
    Plain,
    /// With a suffix.
    Marked,
}

/// Whether a column stands beside a `*` somewhere.
pub fn has_columns_beside_star(query: &Query) -> bool {
    struct Look;
    impl Visitor for Look {
        type Break = ();
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            match has_star(select) && select.projection.len() > 1 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(query, &mut Look).is_break()
}

fn has_star(select: &Select) -> bool {
    let star = |item: &SelectItem| {
        matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
    };
    select.projection.iter().any(star)
}

struct Namer {
    beside_star: Beside,
    depth: usize,
}

impl VisitorMut for Namer {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let outermost = self.depth == 0;
        name_set(&mut query.body, if outermost { Beside::Marked } else { self.beside_star });
        if outermost {
            mark_hiding(query);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// `SELECT upper(t.a) AS a … GROUP BY t.a ORDER BY t.a`: to DataFusion the output and the column have
/// one name there. Nobody calls an outermost output by its name but ORDER BY.
fn mark_hiding(query: &mut Query) {
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind)
    else {
        return;
    };
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let by_column: Vec<&Expr> = keys
        .iter()
        .map(|key| &key.expr)
        .filter(|key| matches!(key, Expr::CompoundIdentifier(_)))
        .collect();
    let by_name = |name: &str| {
        keys.iter().any(|key| matches!(&key.expr, Expr::Identifier(key) if folded(key) == name))
    };
    for (place, item) in select.projection.iter_mut().enumerate() {
        let SelectItem::ExprWithAlias { expr, alias } = item else { continue };
        let name = folded(alias);
        let hides = |key: &&Expr| match key {
            Expr::CompoundIdentifier(parts) => {
                parts.last().is_some_and(|last| folded(last) == name) && **key != *expr
            }
            _ => false,
        };
        if by_column.iter().any(hides) && !by_name(&name) {
            *alias = Ident::with_quote('"', format!("{name}{MARK}9{place}"));
        }
    }
}

fn name_set(set: &mut SetExpr, beside_star: Beside) {
    match set {
        SetExpr::Select(select) => name_select(select, beside_star),
        SetExpr::SetOperation { left, right, .. } => {
            name_set(left, beside_star);
            name_set(right, beside_star);
        }
        _ => {}
    }
}

fn name_select(select: &mut Select, beside_star: Beside) {
    let marked = beside_star == Beside::Marked && has_star(select);
    let mut taken = HashSet::new();
    for item in &mut select.projection {
        let (expr, name, plain) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let plain = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                let name = column_name(expr);
                (expr, name, plain)
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let name = folded(alias);
                (expr, name, false)
            }
            _ => continue,
        };
        let first = taken.insert(name.clone());
        let unique = match first && !(marked && plain) {
            true => name,
            false => {
                let unique = format!("{name}{MARK}{}", taken.len());
                taken.insert(unique.clone());
                unique
            }
        };
        if plain && first && !marked {
            continue;
        }
        let alias = Ident::with_quote('"', unique);
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}

/// The name that PostgreSQL derives from an expression (its `FigureColname`).
pub(crate) fn column_name(expr: &Expr) -> String {
    strong_name(expr).or_else(|| weak_name(expr)).unwrap_or_else(|| "?column?".to_owned())
}

fn strong_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(folded(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded),
        Expr::Function(function) => Some(function_name(&name_parts(&function.name))),
        Expr::BinaryOp { op: sqlparser::ast::BinaryOperator::Overlaps, .. } => {
            Some("overlaps".to_owned())
        }
        Expr::Nested(inner)
            if matches!(inner.as_ref(), Expr::Function(function)
            if name_parts(&function.name) == ["values"]) =>
        {
            Some("column1".to_owned())
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => strong_name(inner),
        Expr::Cast { expr, .. } => strong_name(expr),
        Expr::CompoundFieldAccess { root, access_chain } => access_chain
            .iter()
            .rev()
            .find_map(|access| match access {
                sqlparser::ast::AccessExpr::Dot(Expr::Identifier(ident)) => Some(folded(ident)),
                _ => None,
            })
            .or_else(|| strong_name(root)),
        Expr::Case { else_result, .. } => else_result.as_deref().and_then(strong_name),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::Substring { shorthand: true, .. } => Some("substr".to_owned()),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::Trim { trim_where, .. } => Some(match trim_where {
            Some(sqlparser::ast::TrimWhereField::Leading) => "ltrim".to_owned(),
            Some(sqlparser::ast::TrimWhereField::Trailing) => "rtrim".to_owned(),
            _ => "btrim".to_owned(),
        }),
        Expr::Overlay { .. } => Some("overlay".to_owned()),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Tuple(_) => Some("row".to_owned()),
        Expr::Subquery(query) => subquery_name(query),
        _ => None,
    }
}

/// Names that a stronger one inside may replace.
fn weak_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Case { .. } => Some("case".to_owned()),
        Expr::Cast { data_type, .. } => Some(type_name(&data_type.to_string())),
        Expr::TypedString(typed) => Some(type_name(&typed.data_type.to_string())),
        Expr::Interval(_) => Some("interval".to_owned()),
        Expr::Nested(inner) | Expr::CompoundFieldAccess { root: inner, .. } => weak_name(inner),
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Boolean(_) => Some("bool".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn subquery_name(query: &Query) -> Option<String> {
    match query.body.as_ref() {
        SetExpr::Select(select) => match select.projection.first()? {
            SelectItem::UnnamedExpr(expr) => Some(column_name(expr)),
            SelectItem::ExprWithAlias { alias, .. } => Some(shown(&folded(alias)).to_owned()),
            _ => None,
        },
        SetExpr::Values(_) => Some("column1".to_owned()),
        _ => None,
    }
}

fn function_name(parts: &[String]) -> String {
    match parts.last().map(String::as_str) {
        Some("current_catalog") => "current_catalog".to_owned(),
        Some(name) => name.to_owned(),
        None => "?column?".to_owned(),
    }
}

/// The catalog name of a type, `int4` for `INTEGER`.
fn type_name(sql: &str) -> String {
    let lower = sql.to_lowercase();
    let bare = lower.split('(').next().unwrap_or_default().trim().trim_end_matches("[]");
    let bare = bare.rsplit('.').next().unwrap_or(bare);
    if matches!(bare, "char" | "character") {
        return "bpchar".to_owned();
    }
    match clientele_udfs::types::PgType::by_name(bare) {
        Some(pg_type) => pg_type.name(),
        None => bare.to_owned(),
    }
}
