//! Arrays: `{1,NULL,"a b"}`, and the blank-separated vectors of the catalog.

use datafusion::arrow::buffer::OffsetBuffer;

use super::ArrayFormatter;

/// Prints the elements of one list. Empty strings, the word NULL and what the syntax needs are
/// quoted (manual §8.15.6); inner lists are not.
pub(crate) fn write(
    offsets: &OffsetBuffer<i32>,
    row: usize,
    elements: &ArrayFormatter,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (position, element) in range(offsets, row).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let start = out.len();
        if !elements.write(element, out) {
            out.extend_from_slice(b"NULL");
        } else if elements.needs_quoting() {
            quote(out, start);
        }
    }
    out.push(b'}');
}

/// Prints `int2vector` and `oidvector`: `1 2 3`.
pub(crate) fn write_vector(
    offsets: &OffsetBuffer<i32>,
    row: usize,
    elements: &ArrayFormatter,
    out: &mut Vec<u8>,
) {
    for (position, element) in range(offsets, row).enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        elements.write(element, out);
    }
}

/// The elements of one list.
pub(crate) fn range(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    let bound =
        |row: usize| offsets.get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    bound(row)..bound(row + 1)
}

fn quote(out: &mut Vec<u8>, start: usize) {
    let text = out.get(start..).unwrap_or_default();
    let special = |byte: &u8| {
        matches!(
            byte,
            b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c
        )
    };
    if !(text.is_empty() || text.eq_ignore_ascii_case(b"null") || text.iter().any(special)) {
        return;
    }
    let text = out.split_off(start);
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
