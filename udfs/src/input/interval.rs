//! interval.
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use crate::{Result, ValueError};
pub(crate) fn parse(text: &str) -> Result<IntervalMonthDayNano> {
    Err(ValueError::new("22007", format!("invalid input syntax for type interval: \"{text}\"")))
}
