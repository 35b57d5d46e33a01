//! Types of parameters that neither the client nor their neighbours state.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use crate::error::{Error, Result};

/// Largest number of parameters (the protocol counts them in 16 bits).
const PARAMETERS_MAX: usize = 65_535;

/// Gives every parameter a type: the declared one, the one inferred, `bigint` in LIMIT, else text.
///
/// # Errors
/// 42P02 for `$0`, 54023 for too many.
pub fn resolve(
    plan: LogicalPlan,
    declared: &[Option<PgType>],
) -> Result<(LogicalPlan, Vec<PgType>)> {
    let mut types: Vec<Option<PgType>> = declared.to_vec();
    collect(&plan, &mut types)?;
    if types.is_empty() {
        return Ok((plan, Vec::new()));
    }
    let types: Vec<PgType> = types.into_iter().map(|one| one.unwrap_or(PgType::TEXT)).collect();
    let typed = plan.transform_up_with_subqueries(|node| {
        let done = node.map_expressions(|expr| {
            expr.transform_up(|expr| match expr {
                Expr::Placeholder(mut one) => {
                    let index = index(&one.id).unwrap_or_default();
                    one.field = types.get(index).map(|pg_type| pg_type.field("", true));
                    Ok(Transformed::yes(Expr::Placeholder(one)))
                }
                other => Ok(Transformed::no(other)),
            })
        })?;
        done.map_data(LogicalPlan::recompute_schema)
    });
    Ok((typed.map_err(|error| Error::from_datafusion(&error))?.data, types))
}

fn collect(plan: &LogicalPlan, types: &mut Vec<Option<PgType>>) -> Result<()> {
    let mut failure = None;
    let _ = plan.apply_with_subqueries(|node| {
        let limit = matches!(node, LogicalPlan::Limit(_));
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Placeholder(one) = expr {
                    match index(&one.id) {
                        Some(index) if index < PARAMETERS_MAX => {
                            if types.len() <= index {
                                types.resize(index + 1, None);
                            }
                            let inferred =
                                one.field.as_ref().map(|field| PgType::from_field(field));
                            let inferred = if limit { Some(PgType::INT8) } else { inferred };
                            if let Some(slot) = types.get_mut(index) {
                                *slot = slot.or(inferred);
                            }
                        }
                        _ => failure = Some(one.id.clone()),
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    match failure {
        Some(name) => Err(Error::new("42P02", format!("there is no parameter {name}"))),
        None => Ok(()),
    }
}

/// `$3` → 2.
fn index(id: &str) -> Option<usize> {
    id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

/// Parameters as their types store them. A `numeric` without precision comes with the scale that
/// the client wrote, and is stored with that of the type.
///
/// # Errors
/// 22003 for a number that does not fit.
pub fn stored(types: &[PgType], values: &[ScalarValue]) -> Result<Vec<ScalarValue>> {
    let pairs = values.iter().zip(types);
    let plain = pairs.map(|(value, pg_type)| match is_exact(*pg_type, value) {
        true => value
            .cast_to(&pg_type.arrow())
            .map_err(|_| Error::new("22003", "numeric field overflow")),
        false => Ok(value.clone()),
    });
    plain.collect()
}

/// Whether one of the parameters comes with a scale of its own.
pub fn has_exact(types: &[PgType], values: &[ScalarValue]) -> bool {
    values.iter().zip(types).any(|(value, pg_type)| is_exact(*pg_type, value))
}

fn is_exact(pg_type: PgType, value: &ScalarValue) -> bool {
    pg_type == PgType::NUMERIC
        && matches!(value, ScalarValue::Decimal128(..))
        && value.data_type() != pg_type.arrow()
}

/// Puts values in place of the parameters. Where a `numeric` is a result column it keeps its digits:
/// `SELECT $1` of `12.50` is `12.50`.
///
/// # Errors
/// 22003 for a number that does not fit where it is used.
pub fn bind_exact(
    plan: LogicalPlan,
    types: &[PgType],
    values: Vec<ScalarValue>,
) -> Result<LogicalPlan> {
    let exact = |name: &str| {
        let index = index(name)?;
        let value = values.get(index)?;
        is_exact(*types.get(index)?, value).then(|| Expr::Literal(value.clone(), None))
    };
    let plan = match plan {
        LogicalPlan::Projection(shown) => {
            let exprs = shown.expr.iter().map(|expr| {
                let name = expr.qualified_name();
                match expr.clone().unalias() {
                    Expr::Placeholder(one) => exact(&one.id).map_or_else(
                        || expr.clone(),
                        |value| value.alias_qualified(name.0, name.1),
                    ),
                    _ => expr.clone(),
                }
            });
            let exprs = exprs.collect();
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&shown.input))?)
        }
        other => other,
    };
    let values = match stored(types, &values) {
        Ok(values) => values,
        Err(error) if uses_exact(&plan, &exact)? => return Err(error),
        Err(_) => values,
    };
    super::bind(plan, values)
}

fn uses_exact(plan: &LogicalPlan, exact: &impl Fn(&str) -> Option<Expr>) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| {
                Ok(matches!(expr, Expr::Placeholder(one) if exact(&one.id).is_some()))
            })?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}
