//! DataFusion's aggregates with PostgreSQL's argument and result types.
//!
//! The arguments are coerced (`sum(bigint)` runs over `numeric`), so that the vectorised
//! accumulators of DataFusion do the work. Where each result has a scale of its own, [`totals`] does.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, IntervalUnit};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature, Volatility,
};

use super::totals::{self, Distinct, Groups, Kind, One, makes};

/// Changes the types of the arguments.
type Coerce = fn(&[DataType]) -> Vec<DataType>;

/// An aggregate under a name of ours.
#[derive(Debug)]
pub struct Delegate {
    name: &'static str,
    inner: Arc<AggregateUDF>,
    coerce: Coerce,
    signature: Signature,
}

impl PartialEq for Delegate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Delegate {}

impl Hash for Delegate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Delegate {
    /// An aggregate of this name that runs another one over coerced arguments.
    pub fn udaf(name: &'static str, inner: Arc<AggregateUDF>, coerce: Coerce) -> Arc<AggregateUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Self { name, inner, coerce, signature }))
    }

    /// What it makes of the total of numbers.
    fn kind(&self) -> Kind {
        if self.name == "avg" { Kind::Mean } else { Kind::Sum }
    }
}

/// `avg`: integers and `numeric` exactly, to 16 significant digits at least.
pub fn average(types: &[DataType]) -> Vec<DataType> {
    types
        .iter()
        .map(|data_type| match data_type {
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => DataType::Decimal128(38, *scale),
            DataType::Float32 | DataType::Float64 | DataType::Null => DataType::Float64,
            DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            other => other.clone(),
        })
        .collect()
}

/// `sum`: `bigint` becomes `numeric`, smaller integers `bigint`.
pub fn sum(types: &[DataType]) -> Vec<DataType> {
    types
        .iter()
        .map(|data_type| match data_type {
            DataType::Int64 | DataType::UInt64 => DataType::Decimal128(28, 0),
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => DataType::Decimal128(38, *scale),
            integer if integer.is_integer() => DataType::Int64,
            DataType::Float32 | DataType::Null => DataType::Float64,
            other => other.clone(),
        })
        .collect()
}

/// No change.
pub fn same(types: &[DataType]) -> Vec<DataType> {
    types.to_vec()
}

impl AggregateUDFImpl for Delegate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok((self.coerce)(arg_types))
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let types = (self.coerce)(arg_types);
        let exact = |data_type: &DataType| {
            data_type.is_integer() || matches!(data_type, DataType::Decimal128(..))
        };
        match (self.kind(), types.first()) {
            (_, Some(DataType::LargeBinary)) => Ok(DataType::LargeBinary),
            (Kind::Mean, Some(data_type)) if exact(data_type) => Ok(DataType::LargeBinary),
            _ => self.inner.return_type(&types),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match (makes(args.return_field.data_type()), args.is_distinct) {
            (true, true) => Ok(Box::new(Distinct::new(self.kind()))),
            (true, false) => Ok(Box::new(One::new(self.kind()))),
            (false, _) => self.inner.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        match makes(args.return_field.data_type()) {
            true => Ok(totals::state_fields(args.name, args.is_distinct)),
            false => self.inner.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match makes(args.return_field.data_type()) {
            true => !args.is_distinct,
            false => self.inner.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match makes(args.return_field.data_type()) {
            true => Ok(Box::new(Groups::new(self.kind()))),
            false => self.inner.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        match makes(args.return_field.data_type()) {
            true => Ok(Box::new(One::new(self.kind()))),
            false => self.inner.create_sliding_accumulator(args),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }
}
