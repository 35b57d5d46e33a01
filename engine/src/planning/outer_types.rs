//! Types of references to an outer query, as the analyzer has settled them: when a subquery was
//! planned, `CASE … THEN 'a' ELSE text END` outside of it was of its literal's type.

use std::sync::Arc;

use datafusion::common::DFSchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The plan with the types of its outer queries in its subqueries; untransformed when they were
/// right.
pub(super) fn settled(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    plan.transform_down_with_subqueries(|node| {
        let outer: Vec<DFSchemaRef> =
            node.inputs().iter().map(|input| Arc::clone(input.schema())).collect();
        node.map_subqueries(|subquery| within(subquery, &outer))
    })
}

fn within(subquery: LogicalPlan, outer: &[DFSchemaRef]) -> Result<Transformed<LogicalPlan>> {
    let typed = |expr: Expr| match expr {
        Expr::OuterReferenceColumn(field, column) => {
            let found = outer.iter().find_map(|schema| {
                let (_, field) = schema.qualified_field_from_column(&column).ok()?;
                Some(Arc::clone(field))
            });
            let other = found.filter(|found| found.data_type() != field.data_type());
            Ok(match other {
                Some(found) => Transformed::yes(Expr::OuterReferenceColumn(found, column)),
                None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
            })
        }
        other => Ok(Transformed::no(other)),
    };
    subquery.transform_down_with_subqueries(|node| {
        node.map_expressions(|expr| expr.transform_down(typed))
    })
}
