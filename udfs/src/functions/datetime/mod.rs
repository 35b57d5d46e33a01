//! Date/time functions (manual, 9.9).
use super::function::Function;

pub mod calendar;
pub mod zone;

/// All of them.
pub fn functions() -> Vec<Function> { vec![] }
