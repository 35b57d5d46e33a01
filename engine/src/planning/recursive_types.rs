//! Types of recursive queries: what begins a recursion says the types of its columns, and what goes on
//! with wider ones is refused (manual: queries-with-recursive). DataFusion would cut the values.

use clientele_udfs::types::PgType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::values::external;
use crate::error::Error;

/// Refuses recursive terms that DataFusion has put casts around which lose something.
///
/// # Errors
/// 42804.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::RecursiveQuery(query) = node {
            check_one(query)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(drop)
}

fn check_one(query: &RecursiveQuery) -> Result<()> {
    let LogicalPlan::Projection(projection) = query.recursive_term.as_ref() else { return Ok(()) };
    let first = query.static_term.schema().fields();
    for (place, (expr, field)) in projection.expr.iter().zip(first).enumerate() {
        let mut expr = expr;
        while let Expr::Alias(alias) = expr {
            expr = alias.expr.as_ref();
        }
        // A cast that was asked for says which type of PostgreSQL it is to.
        let Expr::Cast(cast) = expr else { continue };
        if !cast.field.metadata().is_empty() {
            continue;
        }
        let (_, next) = cast.expr.to_field(projection.input.schema())?;
        let (one, next) = (PgType::from_field(field), PgType::from_field(&next));
        if is_wider(one, next) {
            let text = format!(
                "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                query.name,
                place + 1,
                one.sql_name(),
                PgType { modifier: -1, ..next }.sql_name()
            );
            let hint = "Cast the output of the non-recursive term to the correct type.";
            return Err(external(Error::new("42804", text).with_hint(hint)));
        }
    }
    Ok(())
}

/// Whether the next type has values that the first one cuts.
fn is_wider(one: PgType, next: PgType) -> bool {
    match one {
        PgType::INT2 | PgType::INT4 | PgType::INT8 => {
            next.oid == PgType::NUMERIC.oid || matches!(next, PgType::FLOAT4 | PgType::FLOAT8)
        }
        PgType::DATE => matches!(next.oid, 1114 | 1184),
        _ => one.oid == PgType::NUMERIC.oid && matches!(next, PgType::FLOAT4 | PgType::FLOAT8),
    }
}
