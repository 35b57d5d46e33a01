//! Date/time functions (manual, 9.9).

use super::function::Function;

pub mod age;
pub mod calendar;
pub mod clock;
pub mod extract;
pub mod justify;
pub mod make;
pub mod overlaps;
pub mod span;
pub mod truncate;
pub mod units;
pub mod zone;
pub mod zone_shift;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        age::functions(),
        clock::functions(),
        extract::functions(),
        justify::functions(),
        make::functions(),
        overlaps::functions(),
        truncate::functions(),
        zone_shift::functions(),
    ]
    .concat()
}
