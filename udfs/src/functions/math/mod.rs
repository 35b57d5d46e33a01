//! Mathematical functions (manual, 9.3).

use super::function::Function;

pub mod degrees;
pub mod integers;
pub mod roots;
pub mod round;

/// All of them.
pub fn functions() -> Vec<Function> {
    [degrees::functions(), integers::functions(), roots::functions(), round::functions()].concat()
}
