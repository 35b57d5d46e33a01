//! String and byte string functions, regular expressions (manual, 9.4, 9.5, 9.7).

use super::function::Function;

pub mod bits;
pub mod bytes;
pub mod characters;
pub mod concat;
pub mod format;
pub mod octets;
pub mod pieces;
pub mod quote;
pub mod regex;
pub mod regexp;
pub mod similar;
pub mod split;
pub mod text;

/// All of them.
pub fn functions() -> Vec<Function> {
    [
        bits::functions(),
        bytes::functions(),
        characters::functions(),
        concat::functions(),
        format::functions(),
        octets::functions(),
        pieces::functions(),
        quote::functions(),
        regexp::functions(),
        similar::functions(),
        split::functions(),
    ]
    .concat()
}
