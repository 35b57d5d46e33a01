//! [`Cast`]: one scalar function for all kernels.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::Utc;
use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::{Kernel, bits, elements, float, integer, numeric, temporal, text};
use crate::input::{self, Context, DateOrder};
use crate::types::PgType;
use crate::{Result, layout};

/// A cast to one type.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    kernel: Kernel,
    to: PgType,
    explicit: bool,
    name: String,
    signature: Signature,
}

impl PartialEq for Cast {
    fn eq(&self, other: &Self) -> bool {
        (self.kernel, self.to, self.explicit) == (other.kernel, other.to, other.explicit)
    }
}

impl Eq for Cast {}

impl Hash for Cast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kernel, self.to, self.explicit).hash(state);
    }
}

/// What a kernel needs beside the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) from: PgType,
    pub(super) to: PgType,
    pub(super) explicit: bool,
    pub(super) ctx: Context,
}

impl Cast {
    pub(super) fn function(kernel: Kernel, to: PgType, explicit: bool) -> Arc<ScalarUDF> {
        // The zone and `now` are fixed within a statement.
        let signature = Signature::any(1, Volatility::Stable);
        // Distinct casts need distinct names: DataFusion compares expressions by them.
        let kind = if explicit { "cast" } else { "assign" };
        let name = format!("{kind}_to_{}_by_{kernel}", to.sql_name());
        Arc::new(ScalarUDF::from(Self { kernel, to, explicit, name, signature }))
    }

    /// A number that `numeric` takes as it is keeps its own digits.
    fn result_type(&self, argument: &DataType) -> DataType {
        match self.kernel {
            Kernel::KeepDigits => kept_digits(argument),
            _ => self.to.arrow(),
        }
    }
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        self.schema_name(args)
    }

    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let argument = args.first().map(|argument| argument.schema_name().to_string());
        Ok(format!("CAST({} AS {})", argument.unwrap_or_default(), self.to.sql_name()))
    }

    fn return_type(&self, arg_types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(arg_types.first().map_or_else(|| self.to.arrow(), |argument| self.result_type(argument)))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DataFusionResult<FieldRef> {
        let argument = args.arg_fields.first();
        let data_type =
            argument.map_or_else(|| self.to.arrow(), |field| self.result_type(field.data_type()));
        // An infinite timestamp has no time of day.
        let loses_values = self.kernel == Kernel::Temporal && self.to.oid == PgType::TIME.oid;
        let nullable = loses_values || argument.is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), data_type, nullable).with_metadata(self.to.metadata())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let (Some(value), Some(field)) = (args.args.first(), args.arg_fields.first()) else {
            return Err(DataFusionError::Internal(format!("{} takes one argument", self.name)));
        };
        let call = Call {
            from: PgType::from_field(field),
            to: self.to,
            explicit: self.explicit,
            ctx: context(&args.config_options),
        };
        match value {
            ColumnarValue::Array(array) => {
                Ok(ColumnarValue::Array(run(self.kernel, &call, array)?))
            }
            ColumnarValue::Scalar(scalar) => {
                let array = run(self.kernel, &call, &scalar.to_array()?)?;
                Ok(ColumnarValue::Scalar(input::scalar(&array)?))
            }
        }
    }
}

/// How `numeric` takes a number without changing it.
fn kept_digits(argument: &DataType) -> DataType {
    match argument {
        DataType::Decimal128(..) => argument.clone(),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        _ => DataType::LargeBinary,
    }
}

/// Whether a function is a cast of this package.
pub fn is_cast(function: &ScalarUDF) -> bool {
    function.inner().is::<Cast>()
}

fn context(config: &ConfigOptions) -> Context {
    let zone = config.execution.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    Context {
        time_zone: zone.unwrap_or(Tz::UTC),
        now: Utc::now(),
        date_order: DateOrder::of_session(config),
    }
}

/// Casts the values of an array.
pub(super) fn run(kernel: Kernel, call: &Call, array: &ArrayRef) -> Result<ArrayRef> {
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(&call.to.arrow(), array.len()));
    }
    let array = &layout::plain(array)?;
    match kernel {
        Kernel::Relabel => layout::converted(array, &call.to.arrow()),
        Kernel::KeepDigits => match kept_digits(array.data_type()) {
            DataType::LargeBinary => numeric::to_numeric(array, PgType::NUMERIC),
            kept => layout::converted(array, &kept),
        },
        Kernel::FromText => text::parsed(array, call),
        Kernel::FromJson => text::from_json(array, call),
        Kernel::TextToText => text::fitted(array, call.from, call),
        Kernel::ToText(from) => text::printed(array, from, call),
        Kernel::ToInteger => integer::to_integer(array, call.to),
        Kernel::ToNumeric => numeric::to_numeric(array, call.to),
        Kernel::ToFloat => float::to_float(array, call.to),
        Kernel::Temporal => temporal::converted(array, call),
        Kernel::Bits => bits::converted(array, call.to),
        Kernel::Elements(inner) => elements::each(array, inner.kernel(), call),
    }
}
