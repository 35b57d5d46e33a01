//! Rows: `(1,"a b",)`.

use super::ArrayFormatter;

/// Prints the fields of one row; NULL is nothing, quotes are doubled (src/backend/utils/adt/rowtypes.c).
pub(crate) fn write(fields: &[ArrayFormatter], row: usize, out: &mut Vec<u8>) {
    out.push(b'(');
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let start = out.len();
        if field.write(row, out) {
            quote(out, start);
        }
    }
    out.push(b')');
}

fn quote(out: &mut Vec<u8>, start: usize) {
    let text = out.get(start..).unwrap_or_default();
    let special = |byte: &u8| {
        matches!(
            byte,
            b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c
        )
    };
    if !(text.is_empty() || text.iter().any(special)) {
        return;
    }
    let text = out.split_off(start);
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}
