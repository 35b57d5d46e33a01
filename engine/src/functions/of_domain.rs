//! `x::email`: what a cast to a domain does beside the cast to its base type (manual: sql-createdomain).

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_catalog::definition::Domain;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::planning::context::QueryContext;
use crate::planning::types::DOMAIN_KEY;
use crate::statement::check_domain;

/// The value, checked against the domain and those that it is over.
pub fn of_domain(value: Expr, domain: &Arc<Domain>, context: &Arc<QueryContext>) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    let (domain, context) = (Arc::clone(domain), Some(Arc::clone(context)));
    ScalarUDF::new_from_impl(OfDomain { signature, domain, context }).call(vec![value])
}

/// The same function of another statement, or of none: what a kept plan holds.
pub(super) fn rebind(
    function: &ScalarUDF,
    context: Option<&Arc<QueryContext>>,
) -> Option<Arc<ScalarUDF>> {
    let bound = function.inner().downcast_ref::<OfDomain>()?;
    let (signature, domain) = (bound.signature.clone(), Arc::clone(&bound.domain));
    let context = context.map(Arc::clone);
    Some(Arc::new(ScalarUDF::new_from_impl(OfDomain { signature, domain, context })))
}

struct OfDomain {
    signature: Signature,
    domain: Arc<Domain>,
    /// `None`: it waits for a statement.
    context: Option<Arc<QueryContext>>,
}

impl std::fmt::Debug for OfDomain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.domain.name)
    }
}

impl PartialEq for OfDomain {
    fn eq(&self, other: &Self) -> bool {
        self.domain.oid == other.domain.oid
    }
}

impl Eq for OfDomain {}

impl Hash for OfDomain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.domain.oid.hash(state);
    }
}

impl ScalarUDFImpl for OfDomain {
    fn name(&self) -> &str {
        &self.domain.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields.first() {
            Some(field) => {
                let mut metadata = field.metadata().clone();
                metadata.insert(DOMAIN_KEY.to_owned(), self.domain.oid.to_string());
                Ok(Arc::new(field.as_ref().clone().with_metadata(metadata)))
            }
            None => Err(DataFusionError::Internal("a domain without a value".to_owned())),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (Some(value), Some(context)) = (args.args.into_iter().next(), &self.context) else {
            return Err(DataFusionError::Internal("a domain without a statement".to_owned()));
        };
        let rows = if matches!(value, ColumnarValue::Scalar(_)) { 1 } else { args.number_rows };
        check_domain(context, &self.domain, &value.to_array(rows)?)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(value)
    }
}
