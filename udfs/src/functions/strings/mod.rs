//! String functions (manual, 9.4, 9.5, 9.7).

use super::function::Function;

pub mod text;

/// All of them.
pub fn functions() -> Vec<Function> {
    vec![]
}
