//! What belongs to no chapter of its own: UUIDs, sizes, types, hashes (manual, 9.14, 9.26).

use super::function::Function;

pub mod inet;
pub mod keywords;
pub mod sizes;
pub mod types;
pub mod uuid;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        inet::functions(),
        keywords::functions(),
        sizes::functions(),
        types::functions(),
        uuid::functions(),
    ]
    .concat()
}
