//! Mathematical functions (manual, 9.3).

use super::function::Function;

pub mod integers;
pub mod roots;
pub mod round;
pub mod transcendental;

/// All of them.
pub fn functions() -> Vec<Function> {
    [integers::functions(), roots::functions(), round::functions()].concat()
}
