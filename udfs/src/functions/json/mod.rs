//! JSON functions and operators (manual, 9.16).

use super::function::Function;

pub mod build;
pub mod contains;
pub mod get;
pub mod modify;
pub mod node;
pub mod path;
pub mod rows;
pub mod scan;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        build::functions(),
        contains::functions(),
        get::functions(),
        modify::functions(),
        path::functions(),
        rows::functions(),
    ]
    .concat()
}
