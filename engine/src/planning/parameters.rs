//! Types of parameters that neither the client nor their neighbours state.

use clientele_udfs::types::PgType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

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
