//! CHECK conditions of tables and domains: compiled at the first row, evaluated for all others.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use parking_lot::Mutex;

use super::expression::{Expression, Values};
use crate::error::Result;
use crate::planning::context::QueryContext;

/// Conditions by constraint (or domain) and text. Good as long as the plan that they belong to.
#[derive(Default)]
pub(crate) struct Conditions(Mutex<HashMap<(Oid, String), Arc<Expression>>>);

impl Conditions {
    /// The condition for each row of a batch; `plan` makes it of its text.
    ///
    /// # Errors
    /// What is wrong with the condition, or what it refuses.
    pub(crate) fn evaluate(
        &self,
        (owner, text): (Oid, &str),
        context: &Arc<QueryContext>,
        rows: &RecordBatch,
        plan: impl FnOnce() -> Result<(Expr, DFSchema)>,
    ) -> Result<ArrayRef> {
        let values = Values { parameters: &[], values: &[], context };
        let key = (owner, text.to_owned());
        let known = self.0.lock().get(&key).map(Arc::clone);
        if let Some(known) = known {
            return known.evaluate(rows, &values);
        }
        let (expr, schema) = plan()?;
        let types = SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build();
        let coerced = ExprSimplifier::new(types).coerce(expr.clone(), &schema)?;
        match Expression::compile(coerced, &schema, (&[], context)) {
            Some(compiled) => {
                let result = compiled.evaluate(rows, &values);
                self.0.lock().insert(key, Arc::new(compiled));
                result
            }
            None => {
                let physical = context.timed_state().create_physical_expr(expr, &schema)?;
                Ok(physical.evaluate(rows)?.into_array(rows.num_rows())?)
            }
        }
    }
}
