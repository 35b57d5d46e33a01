//! Addresses of the internet (manual, 9.12): they are kept as text in PostgreSQL's form.

use crate::Result;
use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("host(inet) -> text", "The address without its netmask.", |row| {
            Ok(address(row).to_owned().into())
        }),
        function("masklen(inet) -> int4", "The length of the netmask in bits.", |row| {
            Ok(i64::from(bits(row)).into())
        }),
        function("family(inet) -> int4", "The family of the address: 4 or 6.", |row| {
            Ok(if is_six(row) { 6 } else { 4 }.into())
        }),
        function("text(inet) -> text", "The address with its netmask.", whole),
    ]
}

fn address<'a>(row: &'a Row<'_>) -> &'a str {
    let text = row.text(0);
    text.split_once('/').map_or(text, |(address, _)| address)
}

fn is_six(row: &Row<'_>) -> bool {
    address(row).contains(':')
}

fn bits(row: &Row<'_>) -> u8 {
    let stated = row.text(0).split_once('/').and_then(|(_, bits)| bits.parse().ok());
    stated.unwrap_or(if is_six(row) { 128 } else { 32 })
}

fn whole(row: &Row<'_>) -> Result<Value> {
    Ok(format!("{}/{}", address(row), bits(row)).into())
}
