//! `& | # ~ << >>` on integers (manual, 9.3.1). Shifts take the number of bits modulo the width.

use crate::functions::function::{Function, function};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("int2and(int2, int2) -> int2", "Bitwise and.", |row| {
            Ok((row.int(0) & row.int(1)).into())
        })
        .operator("&"),
        function("int4and(int4, int4) -> int4", "Bitwise and.", |row| {
            Ok((row.int(0) & row.int(1)).into())
        })
        .operator("&"),
        function("int8and(int8, int8) -> int8", "Bitwise and.", |row| {
            Ok((row.int(0) & row.int(1)).into())
        })
        .operator("&"),
        function("int2or(int2, int2) -> int2", "Bitwise or.", |row| {
            Ok((row.int(0) | row.int(1)).into())
        })
        .operator("|"),
        function("int4or(int4, int4) -> int4", "Bitwise or.", |row| {
            Ok((row.int(0) | row.int(1)).into())
        })
        .operator("|"),
        function("int8or(int8, int8) -> int8", "Bitwise or.", |row| {
            Ok((row.int(0) | row.int(1)).into())
        })
        .operator("|"),
        function("int2xor(int2, int2) -> int2", "Bitwise exclusive or.", |row| {
            Ok((row.int(0) ^ row.int(1)).into())
        })
        .operator("#"),
        function("int4xor(int4, int4) -> int4", "Bitwise exclusive or.", |row| {
            Ok((row.int(0) ^ row.int(1)).into())
        })
        .operator("#"),
        function("int8xor(int8, int8) -> int8", "Bitwise exclusive or.", |row| {
            Ok((row.int(0) ^ row.int(1)).into())
        })
        .operator("#"),
        function("int2not(int2) -> int2", "Bitwise not.", |row| Ok((!row.int(0)).into()))
            .operator("~"),
        function("int4not(int4) -> int4", "Bitwise not.", |row| Ok((!row.int(0)).into()))
            .operator("~"),
        function("int8not(int8) -> int8", "Bitwise not.", |row| Ok((!row.int(0)).into()))
            .operator("~"),
        function("int2shl(int2, int4) -> int2", "Shifts left.", |row| {
            Ok((row.int(0) as i16).wrapping_shl(row.int4(1) as u32).into())
        })
        .operator("<<"),
        function("int4shl(int4, int4) -> int4", "Shifts left.", |row| {
            Ok(row.int4(0).wrapping_shl(row.int4(1) as u32).into())
        })
        .operator("<<"),
        function("int8shl(int8, int4) -> int8", "Shifts left.", |row| {
            Ok(row.int(0).wrapping_shl(row.int4(1) as u32).into())
        })
        .operator("<<"),
        function("int2shr(int2, int4) -> int2", "Shifts right.", |row| {
            Ok((row.int(0) as i16).wrapping_shr(row.int4(1) as u32).into())
        })
        .operator(">>"),
        function("int4shr(int4, int4) -> int4", "Shifts right.", |row| {
            Ok(row.int4(0).wrapping_shr(row.int4(1) as u32).into())
        })
        .operator(">>"),
        function("int8shr(int8, int4) -> int8", "Shifts right.", |row| {
            Ok(row.int(0).wrapping_shr(row.int4(1) as u32).into())
        })
        .operator(">>"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn bits() {
        check(&[
            ("int4xor(5, 3)", "6"),
            ("int4and(5, 3)", "1"),
            ("int4not(5)", "-6"),
            ("int4shl(1, 4)", "16"),
            ("int4shr(-8, 1)", "-4"),
        ]);
    }
}
