//! Unique indexes on expressions, or over some of the rows (manual: sql-createindex): their
//! expressions are compiled when somebody is about to write, and found again by ON CONFLICT.

use std::sync::Arc;

use clientele_catalog::computed_key::ComputedKey;
use clientele_catalog::definition::{Constraint, ConstraintKind, Relation};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use sqlparser::ast::{self, SelectItem, SetExpr};

use super::{check, rows};
use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::QueryContext;
use crate::sql;
use crate::sql::place::folded;

/// Compiles the keys of a relation that nobody has compiled yet.
///
/// # Errors
/// What is wrong with an expression; 42P17 for one that gives another value each time.
pub(super) fn compile(context: &Arc<QueryContext>, relation: &Relation) -> Result<()> {
    for constraint in &relation.constraints {
        let ConstraintKind::UniqueIndex { predicate, .. } = &constraint.kind else { continue };
        if constraint.computed.get(relation).is_some() {
            continue;
        }
        let keys = parts(relation, constraint).into_iter();
        let keys = keys.map(|text| compiled(context, relation, &text)).collect::<Result<_>>()?;
        let predicate = predicate.as_ref().map(|text| compiled(context, relation, text));
        let predicate = predicate.transpose()?.map(|(expr, _)| expr);
        constraint.computed.set(ComputedKey::new(relation, keys, predicate));
    }
    Ok(())
}

/// The parts of a key as SQL.
pub(super) fn parts(relation: &Relation, constraint: &Constraint) -> Vec<String> {
    let (columns, expressions) = match &constraint.kind {
        ConstraintKind::UniqueIndex { columns, expressions, .. } => {
            (columns.as_slice(), expressions.as_slice())
        }
        ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => {
            (columns.as_slice(), [].as_slice())
        }
        _ => return Vec::new(),
    };
    let mut expressions = expressions.iter();
    let part = |number: &i16| match number {
        0 => expressions.next().cloned(),
        number => relation.column_by_number(*number).map(|one| rows::quoted(&one.name).to_string()),
    };
    columns.iter().filter_map(part).collect()
}

fn compiled(
    context: &Arc<QueryContext>,
    relation: &Relation,
    text: &str,
) -> Result<(Arc<dyn PhysicalExpr>, PgType)> {
    let empty = RecordBatch::new_empty(rows::schema(relation));
    let (expr, schema) = check::condition(context, text, &empty)?;
    let changes = |expr: &Expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call)
            if call.func.signature().volatility == Volatility::Volatile
                || functions::is_of_session(call.func.name())))
    };
    if expr.exists(changes)? {
        let text = "functions in index expression must be marked IMMUTABLE";
        return Err(Error::new("42P17", text));
    }
    let types = SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build();
    let simplifier = ExprSimplifier::new(types);
    let expr = simplifier.simplify(simplifier.coerce(expr, &schema)?)?;
    let expr = context.timed_state().create_physical_expr(expr, &schema)?;
    let field = expr.return_field(empty.schema().as_ref())?;
    Ok((expr, PgType::from_field(&field)))
}

/// The unique constraint that ON CONFLICT means by `SELECT key, … [WHERE condition]`, if there is
/// one: an index over some of the rows counts where the condition is its own.
pub(super) fn inferred(relation: &Relation, text: &str) -> Result<Option<Constraint>> {
    let query = sql::parse::query(text)?;
    let SetExpr::Select(select) = *query.body else { return Ok(None) };
    let mut wanted = Vec::new();
    for item in &select.projection {
        let SelectItem::UnnamedExpr(expr) = item else { return Ok(None) };
        wanted.push(form(expr));
    }
    wanted.sort_unstable();
    let condition = select.selection.as_ref().map(form);
    for constraint in relation.unique_constraints() {
        let parts = parts(relation, constraint).into_iter();
        let own = parts.map(|text| Ok(form(&sql::parse::expression(&text)?)));
        let mut own = own.collect::<Result<Vec<_>>>()?;
        own.sort_unstable();
        let over = match &constraint.kind {
            ConstraintKind::UniqueIndex { predicate: Some(text), .. } => {
                Some(form(&sql::parse::expression(text)?))
            }
            _ => None,
        };
        if own == wanted && (over.is_none() || over == condition) {
            return Ok(Some(constraint.clone()));
        }
    }
    Ok(None)
}

/// An expression as text that is the same however its names are written.
fn form(expr: &ast::Expr) -> String {
    let mut expr = expr;
    while let ast::Expr::Nested(inner) = expr {
        expr = inner;
    }
    if let ast::Expr::Identifier(name) = expr {
        return rows::quoted(&folded(name)).to_string();
    }
    let text = expr.to_string();
    if text.contains(['\'', '"']) { text } else { text.to_lowercase() }
}
