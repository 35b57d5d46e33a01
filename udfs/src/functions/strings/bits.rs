//! `&`, `|` and `#` of bit strings (manual, 9.6).

use crate::functions::Value;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::{Result, ValueError};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("bitand(bit, bit) -> bit", "Bits that are set in both.", |row| {
            of_pairs(row, ("AND", |one, other| one && other))
        })
        .operator("&"),
        function("bitor(bit, bit) -> bit", "Bits that are set in one or both.", |row| {
            of_pairs(row, ("OR", |one, other| one || other))
        })
        .operator("|"),
        function("bitxor(bit, bit) -> bit", "Bits that are set in one alone.", |row| {
            of_pairs(row, ("XOR", |one, other| one != other))
        })
        .operator("#"),
    ]
}

/// Combines bits that stand at the same place.
fn of_pairs(row: &Row<'_>, (name, both): (&str, fn(bool, bool) -> bool)) -> Result<Value> {
    let (one, other) = (row.text(0), row.text(1));
    if one.len() != other.len() {
        let text = format!("cannot {name} bit strings of different sizes");
        return Err(ValueError::new("22026", text));
    }
    let bits = one.bytes().zip(other.bytes());
    let bits = bits.map(|(one, other)| if both(one == b'1', other == b'1') { '1' } else { '0' });
    Ok(bits.collect::<String>().into())
}
