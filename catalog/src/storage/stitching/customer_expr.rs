//! Customers out of files, which keep nodes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::catalog::Session;
use datafusion::common::Result as DataFusionResult;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::customers::Customers;
use crate::domains::Subject;

/// The expression for a column of nodes that was read: the customers they belong to.
pub(in crate::storage) fn shown(
    column: Arc<dyn PhysicalExpr>,
    (subject, customers): (Subject, &Arc<Customers>),
    field: &Arc<Field>,
    state: &dyn Session,
) -> Arc<dyn PhysicalExpr> {
    let function = CustomerOf {
        signature: Signature::any(1, Volatility::Immutable),
        subject,
        customers: Arc::clone(customers),
    };
    Arc::new(ScalarFunctionExpr::new(
        "customer_of",
        Arc::new(ScalarUDF::new_from_impl(function)),
        vec![column],
        Arc::clone(field),
        Arc::clone(state.config().options()),
    ))
}

/// Internal: node to customer.
#[derive(Debug)]
struct CustomerOf {
    signature: Signature,
    subject: Subject,
    customers: Arc<Customers>,
}

impl PartialEq for CustomerOf {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && Arc::ptr_eq(&self.customers, &other.customers)
    }
}

impl Eq for CustomerOf {}

impl Hash for CustomerOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.subject.hash(state);
        Arc::as_ptr(&self.customers).hash(state);
    }
}

impl ScalarUDFImpl for CustomerOf {
    fn name(&self) -> &'static str {
        "customer_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(PgType::INT8.arrow())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let nodes = arrays
            .first()
            .ok_or_else(|| DataFusionError::Internal("a customer has no node".to_owned()))?;
        Ok(ColumnarValue::Array(self.customers.show(self.subject, nodes)))
    }
}
