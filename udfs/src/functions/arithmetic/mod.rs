//! What stands behind `+ - * / % ^ # ~ << >>` (manual, 9.3, 9.9): overflow is an error, not a wrap.
//!
//! The functions have PostgreSQL's own names (`int4pl`, `numeric_div`, `timestamptz_mi_interval`).
//! The engine asks [`add`] and its neighbours, or [`super::operator`], which one an expression means.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::function::Function;
use crate::types::PgType;

pub mod bits;
pub mod dates;
pub mod floats;
pub mod integers;
pub mod intervals;
pub mod number_key;
pub mod numerics;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        integers::functions(),
        floats::functions(),
        numerics::functions(),
        dates::functions(),
        intervals::functions(),
        bits::functions(),
    ]
    .concat()
}

macro_rules! operators {
    ($($name:ident $symbol:literal)*) => {
        $(#[doc = concat!("The function behind `left ", $symbol, " right`; `None`: no such operator.")]
        pub fn $name(left: PgType, right: PgType) -> Option<Arc<ScalarUDF>> {
            super::operator($symbol, &[left, right])
        })*
    };
}
operators! { add "+" subtract "-" multiply "*" divide "/" modulo "%" power "^" }

/// The function behind `-value`.
pub fn negate(value: PgType) -> Option<Arc<ScalarUDF>> {
    super::operator("-", &[value])
}
