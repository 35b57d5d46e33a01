//! json.
use super::function::Function;
/// All of them.
pub fn functions() -> Vec<Function> { vec![] }
