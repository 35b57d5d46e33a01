//! Text → lines, as PostgreSQL's `CopyReadLineText` cuts them (src/backend/commands/copyfromparse.c).
//!
//! Pieces arrive cut anywhere, within a character too. What is valid UTF-8 is kept as text; a line
//! is a range of it. The scan goes on where it stopped when the next piece arrives, so a line that
//! spans many pieces is looked at once.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use super::bad_format;
use super::dialect::Dialect;
use crate::error::{Error, Result};
use crate::sql::copy::Format;

/// Bytes of a line at most: an unclosed quote must not gather all that follows it in memory.
const LINE_BYTES_MAX: usize = 256 << 20;

/// How lines end; the first line end decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Unknown,
    Newline,
    Return,
    Both,
}

/// A line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where it is.
    pub(crate) range: Range<usize>,
    /// Whether it holds a backslash (text) or a quote (csv).
    pub(crate) special: bool,
}

/// What stands at a place that may be the end marker `\.`.
enum Marker {
    None,
    End,
    /// More data must tell.
    Open,
}

/// Cuts text into lines.
#[derive(Debug)]
pub(crate) struct Lines {
    text: String,
    /// First bytes of a character that the next piece completes.
    tail: Vec<u8>,
    /// What follows the text is not UTF-8.
    damage: Option<Error>,
    /// Where the present line starts.
    start: usize,
    /// How far it was scanned.
    at: usize,
    /// Quote and escape (csv).
    quoting: Option<(u8, u8)>,
    in_quote: bool,
    special: bool,
    /// Line ends within quotes of the present line.
    embedded: u64,
    line_end: LineEnd,
    number: u64,
    ended: bool,
}

impl Lines {
    /// For the data of one statement.
    pub(crate) fn new(dialect: &Dialect) -> Self {
        let csv = dialect.format == Format::Csv;
        Self {
            text: String::new(),
            tail: Vec::new(),
            damage: None,
            start: 0,
            at: 0,
            quoting: csv.then_some((dialect.quote, dialect.escape)),
            in_quote: false,
            special: false,
            embedded: 0,
            line_end: LineEnd::Unknown,
            number: 0,
            ended: false,
        }
    }

    /// Adds a piece of data.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) {
        if self.ended || self.damage.is_some() {
            return;
        }
        self.text.drain(..self.start);
        self.at -= self.start;
        self.start = 0;
        while !self.tail.is_empty() {
            let Some((first, rest)) = piece.split_first() else { return };
            self.tail.push(*first);
            piece = rest;
            match std::str::from_utf8(&self.tail) {
                Ok(character) => {
                    self.text.push_str(character);
                    self.tail.clear();
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.damage = Some(invalid_utf8(&self.tail));
                    return;
                }
            }
        }
        match std::str::from_utf8(piece) {
            Ok(text) => self.text.push_str(text),
            Err(error) => {
                let (valid, rest) = piece.split_at(error.valid_up_to());
                self.text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                match error.error_len() {
                    None => self.tail = rest.to_vec(),
                    Some(_) => self.damage = Some(invalid_utf8(rest)),
                }
            }
        }
    }

    /// The text of a line.
    pub(crate) fn text(&self, line: &Line) -> &str {
        self.text.get(line.range.clone()).unwrap_or_default()
    }

    /// Number of the last line that was returned; of the failing one after an error.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, without its end; `None`: more data are needed, or (`last`) there are none.
    ///
    /// # Errors
    /// 22P04 for line ends that do not fit the first one and for a damaged end marker, 22021 for
    /// text that is not UTF-8, 54000 for an endless line. [`Lines::number`] tells the line.
    pub(crate) fn next(&mut self, last: bool) -> Result<Option<Line>> {
        if self.ended {
            return Ok(None);
        }
        let found = match self.quoting {
            None => self.scan_text(last),
            Some((quote, escape)) => self.scan_csv(quote, escape, last),
        };
        if found.is_err() {
            self.number += 1 + self.embedded;
        }
        found
    }

    fn scan_text(&mut self, last: bool) -> Result<Option<Line>> {
        loop {
            let bytes = self.text.as_bytes();
            let Some(offset) = memchr3(b'\n', b'\r', b'\\', &bytes[self.at..]) else {
                self.at = bytes.len();
                return self.exhausted(last);
            };
            self.at += offset;
            if bytes[self.at] != b'\\' {
                return self.end_line(last);
            }
            self.special = true;
            match bytes.get(self.at + 1) {
                None if !last => return Ok(None),
                Some(b'.') => match self.marker(last)? {
                    Marker::Open => return Ok(None),
                    Marker::End => return Ok(self.end_of_data()),
                    Marker::None => self.at += 2,
                },
                // Whatever follows a backslash is data, a line end too.
                _ => self.at = (self.at + 2).min(bytes.len()),
            }
        }
    }

    fn scan_csv(&mut self, quote: u8, escape: u8, last: bool) -> Result<Option<Line>> {
        if self.at == self.start {
            match self.marker(last)? {
                Marker::Open => return Ok(None),
                Marker::End => return Ok(self.end_of_data()),
                Marker::None => {}
            }
        }
        loop {
            let bytes = self.text.as_bytes();
            if self.in_quote {
                let rest = &bytes[self.at..];
                let found = if quote == escape {
                    memchr(quote, rest)
                } else {
                    memchr2(quote, escape, rest)
                };
                let inner = &rest[..found.unwrap_or(rest.len())];
                let counted = if self.line_end == LineEnd::Return { b'\r' } else { b'\n' };
                self.embedded += memchr::memchr_iter(counted, inner).count() as u64;
                self.at += inner.len();
                if found.is_none() {
                    return self.exhausted(last);
                }
                if bytes[self.at] == escape && escape != quote {
                    match bytes.get(self.at + 1) {
                        None if !last => return self.exhausted(false),
                        Some(next) if *next == quote || *next == escape => self.at += 2,
                        _ => self.at += 1,
                    }
                    continue;
                }
                self.in_quote = false;
                self.at += 1;
                continue;
            }
            let Some(offset) = memchr3(b'\n', b'\r', quote, &bytes[self.at..]) else {
                self.at = bytes.len();
                return self.exhausted(last);
            };
            self.at += offset;
            if bytes[self.at] != quote {
                return self.end_line(last);
            }
            self.special = true;
            self.in_quote = true;
            self.at += 1;
        }
    }

    /// There is a line end at `self.at`.
    fn end_line(&mut self, last: bool) -> Result<Option<Line>> {
        let next = self.text.as_bytes().get(self.at + 1).copied();
        let newline = self.text.as_bytes().get(self.at) == Some(&b'\n');
        let (end, length) = match (newline, self.line_end) {
            (true, LineEnd::Return | LineEnd::Both) => return Err(self.stray("newline", "\\n")),
            (true, _) => (LineEnd::Newline, 1),
            (false, LineEnd::Newline) => return Err(self.stray("carriage return", "\\r")),
            (false, LineEnd::Return) => (LineEnd::Return, 1),
            (false, _) if next == Some(b'\n') => (LineEnd::Both, 2),
            (false, _) if next.is_none() && !last => return Ok(None),
            (false, LineEnd::Both) => return Err(self.stray("carriage return", "\\r")),
            (false, LineEnd::Unknown) => (LineEnd::Return, 1),
        };
        self.line_end = end;
        Ok(Some(self.take_line(length)))
    }

    fn stray(&self, what: &str, sequence: &str) -> Error {
        match self.quoting {
            None => bad_format(format!("literal {what} found in data"))
                .with_hint(format!("Use \"{sequence}\" to represent {what}.")),
            Some(_) => bad_format(format!("unquoted {what} found in data"))
                .with_hint(format!("Use quoted CSV field to represent {what}.")),
        }
    }

    /// The line up to `self.at`; what follows it by `length` bytes is its end.
    fn take_line(&mut self, length: usize) -> Line {
        let line = Line { range: self.start..self.at, special: self.special };
        self.number += 1 + self.embedded;
        self.at = (self.at + length).min(self.text.len());
        self.start = self.at;
        self.special = false;
        self.in_quote = false;
        self.embedded = 0;
        line
    }

    /// The text is used up.
    fn exhausted(&mut self, last: bool) -> Result<Option<Line>> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        if last && !self.tail.is_empty() {
            return Err(invalid_utf8(&self.tail));
        }
        if self.text.len() - self.start > LINE_BYTES_MAX {
            return Err(Error::new("54000", "a line is too long")
                .with_detail(format!("A line may have {LINE_BYTES_MAX} bytes."))
                .with_hint("Is a quoted field not closed?"));
        }
        Ok((last && self.start < self.text.len()).then(|| self.take_line(0)))
    }

    /// The end marker was read: what stands before it on its line is the last line.
    fn end_of_data(&mut self) -> Option<Line> {
        self.ended = true;
        (self.start < self.at).then(|| self.take_line(0))
    }

    /// Looks for `\.` and a line end at `self.at`. Without them, text format refuses the data and
    /// csv takes them as they are.
    fn marker(&self, last: bool) -> Result<Marker> {
        let rest = &self.text.as_bytes()[self.at..];
        let csv = self.quoting.is_some();
        if !rest.starts_with(b"\\.") {
            let open = !last && rest.len() < 2 && (rest.is_empty() || rest == b"\\");
            return Ok(if open { Marker::Open } else { Marker::None });
        }
        let corrupt = || bad_format("end-of-copy marker corrupt");
        let style = || bad_format("end-of-copy marker does not match previous newline style");
        let refused = |error: Error| if csv { Ok(Marker::None) } else { Err(error) };
        let (first, second) = (rest.get(2).copied(), rest.get(3).copied());
        match (self.line_end, first, second) {
            (_, None, _) if !last => Ok(Marker::Open),
            (LineEnd::Both, Some(b'\r'), None) if !last => Ok(Marker::Open),
            (LineEnd::Both, Some(b'\r'), Some(b'\n')) => Ok(Marker::End),
            (LineEnd::Both, Some(b'\n'), _) => refused(style()),
            (LineEnd::Both, ..) => refused(corrupt()),
            (LineEnd::Unknown, Some(b'\r' | b'\n'), _) => Ok(Marker::End),
            (LineEnd::Newline, Some(b'\n'), _) | (LineEnd::Return, Some(b'\r'), _) => {
                Ok(Marker::End)
            }
            (_, Some(b'\r' | b'\n'), _) => Err(style()),
            _ => refused(corrupt()),
        }
    }
}

/// `invalid byte sequence for encoding "UTF8": 0xc3 0x28` (22021), with the bytes that the first
/// one announces.
pub(crate) fn invalid_utf8(bytes: &[u8]) -> Error {
    let length = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let shown: Vec<String> =
        bytes.iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
    Error::new("22021", format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")))
}
