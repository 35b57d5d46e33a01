//! Rows as COPY's text format (manual: sql-copy, "Text Format").

/// Appends a value, escaped; `None`: NULL.
pub fn value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        return out.extend_from_slice(b"\\N");
    };
    for byte in value {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.push(*byte),
        }
    }
}

/// Ends a value: the last of its row or not.
pub fn end(out: &mut Vec<u8>, is_last: bool) {
    out.push(if is_last { b'\n' } else { b'\t' });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        let mut out = Vec::new();
        value(&mut out, Some(b"a\tb\\N\n"));
        end(&mut out, false);
        value(&mut out, None);
        end(&mut out, true);
        assert_eq!(out, b"a\\tb\\\\N\\n\t\\N\n");
    }
}
