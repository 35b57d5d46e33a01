//! `random()`: after `setseed` the numbers that PostgreSQL 15 gives (manual: functions-math-random),
//! in the order in which rows come.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::Float64Array;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::math;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::scalar::ScalarValue;

use super::row_kernel::text_value;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::shared::SessionShared;

/// xoroshiro128**, as PostgreSQL has it (pg_prng.c).
#[derive(Debug)]
pub(crate) struct Generator([u64; 2]);

impl Generator {
    fn seeded(seed: f64) -> Self {
        let mut state = ((((1_u64 << 52) - 1) as f64) * seed) as i64 as u64;
        let mut split = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let value = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            value ^ (value >> 31)
        };
        Self([split(), split()])
    }

    /// From 0, below 1.
    fn next(&mut self) -> f64 {
        let [first, second] = self.0;
        let mixed = second ^ first;
        let value = first.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        self.0 = [first.rotate_left(24) ^ mixed ^ (mixed << 16), mixed.rotate_left(37)];
        (value >> 12) as f64 * f64::EPSILON
    }
}

/// `setseed(float8)`.
pub(super) fn seed(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let value = values.first().map(|value| value.cast_to(&DataType::Float64)).transpose()?;
    let Some(ScalarValue::Float64(Some(seed))) = value else {
        return Err(Error::new("42804", "argument 1 must be of type double precision"));
    };
    if !(-1.0..=1.0).contains(&seed) {
        let text = format!("setseed parameter {seed} is out of allowed range [-1,1]");
        return Err(Error::new("22023", text));
    }
    *context.session.random.lock() = Some(Generator::seeded(seed));
    Ok(text_value(""))
}

/// `random()` of a session.
pub(super) fn function(context: &QueryContext) -> Arc<ScalarUDF> {
    let session = Arc::clone(&context.session);
    Arc::new(ScalarUDF::new_from_impl(Random { session, inner: math::random() }))
}

struct Random {
    session: Arc<SessionShared>,
    inner: Arc<ScalarUDF>,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl PartialEq for Random {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.session, &other.session)
    }
}

impl Eq for Random {}

impl Hash for Random {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl ScalarUDFImpl for Random {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let mut generator = self.session.random.lock();
        let Some(seeded) = generator.as_mut() else {
            drop(generator);
            return self.inner.invoke_with_args(args);
        };
        let numbers = (0..args.number_rows).map(|_| seeded.next());
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from_iter_values(numbers))))
    }
}
