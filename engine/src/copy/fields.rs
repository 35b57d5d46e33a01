//! A line → its fields. A field without escapes is a piece of the line; only others are copied.

use memchr::{memchr_iter, memchr2, memchr3};

use super::bad_format;
use super::dialect::Dialect;
use super::lines::invalid_utf8;
use crate::error::Result;
use crate::sql::copy::Format;

/// Where a field's value is.
#[derive(Debug, Clone, Copy)]
enum Part {
    Null,
    /// In the line.
    Plain(usize, usize),
    /// In the scratch space.
    Made(usize, usize),
}

/// The fields of one line; kept for the next line, so that its space is used again.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    parts: Vec<Part>,
    scratch: Vec<u8>,
}

impl Fields {
    /// Cuts a line. `special`: it holds a backslash (text) or a quote (csv).
    ///
    /// # Errors
    /// 22P04 for a quote that is not closed.
    pub(crate) fn split(&mut self, line: &str, special: bool, dialect: &Dialect) -> Result<()> {
        self.parts.clear();
        self.scratch.clear();
        match (special, dialect.format) {
            (false, _) => self.split_plain(line.as_bytes(), dialect),
            (true, Format::Csv) => return self.split_csv(line.as_bytes(), dialect),
            (true, _) => self.split_text(line.as_bytes(), dialect),
        }
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// A field's value; `None` is NULL.
    ///
    /// # Errors
    /// 22021 for escaped bytes that are not UTF-8.
    pub(crate) fn get<'f>(&'f self, index: usize, line: &'f str) -> Result<Option<&'f str>> {
        match self.parts.get(index) {
            Some(Part::Plain(start, end)) => Ok(Some(line.get(*start..*end).unwrap_or_default())),
            Some(Part::Made(start, end)) => {
                let bytes = self.scratch.get(*start..*end).unwrap_or_default();
                let text = std::str::from_utf8(bytes);
                let text = text.map_err(|error| invalid_utf8(&bytes[error.valid_up_to()..]))?;
                Ok(Some(text))
            }
            Some(Part::Null) | None => Ok(None),
        }
    }

    fn split_plain(&mut self, line: &[u8], dialect: &Dialect) {
        let null = dialect.null.as_bytes();
        let mut start = 0;
        for end in memchr_iter(dialect.delimiter, line).chain([line.len()]) {
            let part = if &line[start..end] == null { Part::Null } else { Part::Plain(start, end) };
            self.parts.push(part);
            start = end + 1;
        }
    }

    fn split_text(&mut self, line: &[u8], dialect: &Dialect) {
        let null = dialect.null.as_bytes();
        let mut start = 0;
        loop {
            let (end, escaped) = text_field(line, start, dialect.delimiter);
            let raw = &line[start..end];
            let part = match (raw == null, escaped) {
                (true, _) => Part::Null,
                (false, false) => Part::Plain(start, end),
                (false, true) => {
                    let made = self.scratch.len();
                    unescape(raw, &mut self.scratch);
                    Part::Made(made, self.scratch.len())
                }
            };
            self.parts.push(part);
            if end == line.len() {
                return;
            }
            start = end + 1;
        }
    }

    fn split_csv(&mut self, line: &[u8], dialect: &Dialect) -> Result<()> {
        let null = dialect.null.as_bytes();
        let mut start = 0;
        loop {
            let offset = memchr3(dialect.delimiter, dialect.quote, dialect.quote, &line[start..]);
            let at = offset.map_or(line.len(), |offset| start + offset);
            if line.get(at) != Some(&dialect.quote) {
                let part =
                    if &line[start..at] == null { Part::Null } else { Part::Plain(start, at) };
                self.parts.push(part);
                if at == line.len() {
                    return Ok(());
                }
                start = at + 1;
                continue;
            }
            let end = self.quoted(line, start, dialect)?;
            if end == line.len() {
                return Ok(());
            }
            start = end + 1;
        }
    }

    /// Reads a field that has quotes, from its start; returns where it ends.
    fn quoted(&mut self, line: &[u8], start: usize, dialect: &Dialect) -> Result<usize> {
        let (quote, escape) = (dialect.quote, dialect.escape);
        // Quotes around the whole field and none within: the usual case, and nothing is copied.
        if line.get(start) == Some(&quote)
            && let Some(length) = memchr2(quote, escape, &line[start + 1..])
        {
            let end = start + 1 + length;
            let next = line.get(end + 1).copied();
            if line[end] == quote && next.is_none_or(|next| next == dialect.delimiter) {
                self.parts.push(Part::Plain(start + 1, end));
                return Ok(end + 1);
            }
        }
        let made = self.scratch.len();
        let mut at = start;
        loop {
            // Outside quotes.
            let rest = &line[at..];
            let end = memchr2(dialect.delimiter, quote, rest).unwrap_or(rest.len());
            self.scratch.extend_from_slice(&rest[..end]);
            at += end;
            if line.get(at) != Some(&quote) {
                self.parts.push(Part::Made(made, self.scratch.len()));
                return Ok(at);
            }
            at += 1;
            // Within quotes.
            loop {
                let rest = &line[at..];
                let Some(end) = memchr2(quote, escape, rest) else {
                    return Err(bad_format("unterminated CSV quoted field"));
                };
                self.scratch.extend_from_slice(&rest[..end]);
                at += end;
                let (byte, next) = (line[at], line.get(at + 1).copied());
                at += 1;
                match next {
                    Some(next) if byte == escape && (next == escape || next == quote) => {
                        self.scratch.push(next);
                        at += 1;
                    }
                    _ if byte == quote => break,
                    _ => self.scratch.push(byte),
                }
            }
        }
    }
}

/// Where a field of text format ends, and whether it holds a backslash, which takes the next byte
/// with it.
fn text_field(line: &[u8], start: usize, delimiter: u8) -> (usize, bool) {
    let (mut at, mut escaped) = (start, false);
    while let Some(offset) = memchr2(delimiter, b'\\', line.get(at..).unwrap_or_default()) {
        at += offset;
        if line[at] == delimiter {
            return (at, escaped);
        }
        escaped = true;
        at += 2;
    }
    (line.len(), escaped)
}

/// Undoes the backslash escapes of text format (manual: sql-copy, Text Format).
fn unescape(mut raw: &[u8], out: &mut Vec<u8>) {
    while let Some((byte, rest)) = raw.split_first() {
        raw = rest;
        if *byte != b'\\' {
            let end = memchr::memchr(b'\\', raw).unwrap_or(raw.len());
            out.push(*byte);
            out.extend_from_slice(&raw[..end]);
            raw = &raw[end..];
            continue;
        }
        let Some((byte, rest)) = raw.split_first() else { return };
        raw = rest;
        let value = match byte {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => number(byte - b'0', 8, &mut raw),
            b'x' if raw.first().is_some_and(u8::is_ascii_hexdigit) => number(0, 16, &mut raw),
            other => *other,
        };
        out.push(value);
    }
}

/// Up to two more digits.
fn number(first: u8, base: u8, raw: &mut &[u8]) -> u8 {
    let mut value = first;
    for _ in 0..2 {
        let digit = raw.first().and_then(|byte| char::from(*byte).to_digit(u32::from(base)));
        let Some(digit) = digit.and_then(|digit| u8::try_from(digit).ok()) else { break };
        value = value.wrapping_mul(base).wrapping_add(digit);
        *raw = raw.get(1..).unwrap_or_default();
    }
    value
}
