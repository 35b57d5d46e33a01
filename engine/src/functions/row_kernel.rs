//! A function over session or catalog: declared in one line, evaluated row by row.
//!
//! These functions look things up; their rows are few. Columns go through `clientele_udfs`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature as Accepts, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// What a function looks like in SQL.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments.
    pub most: usize,
    /// Result type.
    pub result: PgType,
    /// Whether it gives another result each time (it is not computed ahead then).
    pub volatile: bool,
    /// Whether NULL in gives NULL out without a call.
    pub strict: bool,
}

/// A function: name, signature, comment, and what it does with one row's arguments.
pub struct Kernel {
    /// Name in `pg_catalog`.
    pub name: &'static str,
    /// Arguments as `\df` shows them.
    pub arguments: &'static str,
    /// Signature.
    pub signature: Signature,
    /// One sentence for `\df+`.
    pub comment: &'static str,
    /// The function.
    pub call: fn(&QueryContext, &[ScalarValue]) -> Result<ScalarValue>,
}

/// A stable, strict function.
pub(crate) const fn stable(least: usize, most: usize, result: PgType) -> Signature {
    Signature { least, most, result, volatile: false, strict: true }
}

/// The function of one statement.
pub(super) fn bind(kernel: &'static Kernel, context: &Arc<QueryContext>) -> Arc<ScalarUDF> {
    let lengths = (kernel.signature.least..=kernel.signature.most).map(|length| match length {
        0 => TypeSignature::Nullary,
        length => TypeSignature::Any(length),
    });
    let volatility = match kernel.signature.volatile {
        true => Volatility::Volatile,
        false => Volatility::Stable,
    };
    let accepts = Accepts::one_of(lengths.collect(), volatility);
    let context = Some(Arc::clone(context));
    Arc::new(ScalarUDF::new_from_impl(Bound { kernel, accepts, context }))
}

/// The same function of another statement, or of none: what a kept plan holds. `None` for a
/// function that is not of [`bind`].
pub fn rebind(function: &ScalarUDF, context: Option<&Arc<QueryContext>>) -> Option<Arc<ScalarUDF>> {
    let Some(bound) = function.inner().downcast_ref::<Bound>() else {
        let other = super::of_domain::rebind(function, context);
        return other.or_else(|| super::per_row::rebind(function, context));
    };
    let (kernel, accepts) = (bound.kernel, bound.accepts.clone());
    let context = context.map(Arc::clone);
    Some(Arc::new(ScalarUDF::new_from_impl(Bound { kernel, accepts, context })))
}

struct Bound {
    kernel: &'static Kernel,
    accepts: Accepts,
    /// `None`: it waits for a statement.
    context: Option<Arc<QueryContext>>,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.kernel.name)
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.context, &other.context) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        same && self.kernel.name == other.kernel.name
    }
}

impl Eq for Bound {}

impl Hash for Bound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
    }
}

impl ScalarUDFImpl for Bound {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn signature(&self) -> &Accepts {
        &self.accepts
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.kernel.signature.result.arrow())
    }

    fn return_field_from_args(
        &self,
        _arguments: ReturnFieldArgs<'_>,
    ) -> DataFusionResult<FieldRef> {
        Ok(self.kernel.signature.result.field(self.kernel.name, true))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let result = self.kernel.signature.result.arrow();
        let scalar = arguments.args.iter().all(|one| matches!(one, ColumnarValue::Scalar(_)));
        if scalar && !self.kernel.signature.volatile {
            let values: Vec<ScalarValue> = arguments
                .args
                .into_iter()
                .filter_map(|one| match one {
                    ColumnarValue::Scalar(value) => Some(value),
                    ColumnarValue::Array(_) => None,
                })
                .collect();
            let value = self.row(&values, &result)?;
            // A list's elements lose their metadata on the way through a scalar.
            return match result {
                DataType::List(_) => {
                    let array = value.to_array_of_size(arguments.number_rows)?;
                    Ok(ColumnarValue::Array(datafusion::arrow::compute::cast(&array, &result)?))
                }
                _ => Ok(ColumnarValue::Scalar(value)),
            };
        }
        let mut rows = Vec::with_capacity(arguments.number_rows);
        for row in 0..arguments.number_rows {
            let mut values = Vec::with_capacity(arguments.args.len());
            for argument in &arguments.args {
                values.push(match argument {
                    ColumnarValue::Scalar(value) => value.clone(),
                    ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row)?,
                });
            }
            rows.push(self.row(&values, &result)?);
        }
        if rows.is_empty() {
            let empty = datafusion::arrow::array::new_empty_array(&result);
            return Ok(ColumnarValue::Array(empty));
        }
        let array = ScalarValue::iter_to_array(rows)?;
        match result {
            DataType::List(_) => {
                Ok(ColumnarValue::Array(datafusion::arrow::compute::cast(&array, &result)?))
            }
            _ => Ok(ColumnarValue::Array(array)),
        }
    }
}

impl Bound {
    fn row(&self, values: &[ScalarValue], result: &DataType) -> DataFusionResult<ScalarValue> {
        if self.kernel.signature.strict && values.iter().any(ScalarValue::is_null) {
            return ScalarValue::try_from(result);
        }
        let unbound = || Error::internal("a function of no statement was called");
        let value = self
            .context
            .as_deref()
            .ok_or_else(unbound)
            .and_then(|context| (self.kernel.call)(context, values))
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        match value.is_null() {
            true => ScalarValue::try_from(result),
            false => value.cast_to(result),
        }
    }
}

/// The argument as text.
pub(crate) fn text(values: &[ScalarValue], index: usize) -> Result<&str> {
    match values.get(index).and_then(|value| value.try_as_str()) {
        Some(Some(text)) => Ok(text),
        _ => Err(Error::new("42804", format!("argument {} must be of type text", index + 1))),
    }
}

/// The argument as a number.
pub(crate) fn number(values: &[ScalarValue], index: usize) -> Result<i64> {
    let value = values.get(index).and_then(|value| value.cast_to(&DataType::Int64).ok());
    match value {
        Some(ScalarValue::Int64(Some(number))) => Ok(number),
        _ => Err(Error::new("42804", format!("argument {} must be of type bigint", index + 1))),
    }
}

/// Text as a value.
pub(crate) fn text_value(text: impl Into<String>) -> ScalarValue {
    ScalarValue::Utf8View(Some(text.into()))
}

/// Text or NULL as a value.
pub(super) fn optional_text(text: Option<String>) -> ScalarValue {
    ScalarValue::Utf8View(text)
}
