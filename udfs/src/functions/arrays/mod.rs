//! Array functions (manual, 9.19).
use super::function::Function;

pub mod literal;

/// All of them.
pub fn functions() -> Vec<Function> { vec![] }
