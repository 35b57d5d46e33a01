//! Array functions and operators (manual, 9.19).
//!
//! `a[i]` is `array_subscript(a, i)`, `a[i:j]` is `array_slice(a, i, j)`: counted from 1, NULL and
//! nothing beyond the ends.

use super::function::Function;

pub mod acl;
pub mod change;
pub mod elements;
pub mod expand;
pub mod find;
pub mod flat;
pub mod shape;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        acl::functions(),
        change::functions(),
        expand::functions(),
        find::functions(),
        shape::functions(),
    ]
    .concat()
}
