//! DataFusion's aggregates over `double precision` (manual, 9.21: statistics, `percentile_cont`), of
//! numbers of any type.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::{correlation, covariance, percentile_cont, regr};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};

/// All of them.
pub(super) fn all() -> Vec<Arc<AggregateUDF>> {
    let inner = [
        correlation::corr_udaf(),
        covariance::covar_pop_udaf(),
        covariance::covar_samp_udaf(),
        percentile_cont::percentile_cont_udaf(),
        regr::regr_slope_udaf(),
        regr::regr_intercept_udaf(),
        regr::regr_count_udaf(),
        regr::regr_r2_udaf(),
        regr::regr_avgx_udaf(),
        regr::regr_avgy_udaf(),
        regr::regr_sxx_udaf(),
        regr::regr_syy_udaf(),
        regr::regr_sxy_udaf(),
    ];
    let floats = |inner| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Floats { inner, signature }))
    };
    inner.map(floats).into()
}

#[derive(Debug)]
struct Floats {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl PartialEq for Floats {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Floats {}

impl Hash for Floats {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl AggregateUDFImpl for Floats {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Numbers with scales of their own stay: Arrow cannot cast them, the planner has done so before
    /// anything is computed.
    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let number = |one: &DataType| one.is_numeric() || one.is_null();
        let float = |one: &DataType| if number(one) { DataType::Float64 } else { one.clone() };
        Ok(arg_types.iter().map(float).collect())
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let float = |one: &DataType| match one {
            DataType::LargeBinary => DataType::Float64,
            one => one.clone(),
        };
        if arg_types.is_empty() {
            return datafusion::common::plan_err!("{} takes arguments", self.name());
        }
        let types: Vec<DataType> = self.coerce_types(arg_types)?.iter().map(float).collect();
        self.inner.return_type(&types)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.inner.create_sliding_accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.inner.supports_within_group_clause()
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }
}
