//! Rows in the text format of COPY (manual: sql-copy, "Text Format").

use chrono::{Datelike, NaiveDate};

use super::calendar::{DAY, date_of};

/// Rows being written. Texts must hold no tab, line feed or backslash: the demo's do not.
#[derive(Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    rows: u64,
    within_row: bool,
}

impl Lines {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The rows as bytes, and how many there are; none are left.
    pub(crate) fn take(&mut self) -> (Vec<u8>, u64) {
        let room = Vec::with_capacity(self.bytes.capacity());
        (std::mem::replace(&mut self.bytes, room), std::mem::take(&mut self.rows))
    }

    fn field(&mut self) -> &mut Vec<u8> {
        if self.within_row {
            self.bytes.push(b'\t');
        }
        self.within_row = true;
        &mut self.bytes
    }

    /// Ends a row.
    pub(crate) fn end(&mut self) {
        self.bytes.push(b'\n');
        self.rows += 1;
        self.within_row = false;
    }

    /// A text.
    pub(crate) fn text(&mut self, value: &str) {
        self.field().extend_from_slice(value.as_bytes());
    }

    /// A text or NULL.
    pub(crate) fn optional(&mut self, value: Option<&str>) {
        self.text(value.unwrap_or("\\N"));
    }

    /// A whole number.
    pub(crate) fn number(&mut self, value: u64) {
        digits(self.field(), value, 1);
    }

    /// A prefix and a number, padded with zeros.
    pub(crate) fn numbered(&mut self, prefix: &str, value: u64, width: usize) {
        let field = self.field();
        field.extend_from_slice(prefix.as_bytes());
        digits(field, value, width);
    }

    /// An amount of money.
    pub(crate) fn cents(&mut self, value: u64) {
        cents(self.field(), value);
    }

    /// True or false.
    pub(crate) fn flag(&mut self, value: bool) {
        self.text(if value { "t" } else { "f" });
    }

    /// An instant, seconds since 1970.
    pub(crate) fn time(&mut self, second: i64) {
        let field = self.field();
        day(field, date_of(second));
        let rest = second.rem_euclid(DAY).unsigned_abs();
        for (mark, part) in [(b' ', rest / 3600), (b':', rest / 60 % 60), (b':', rest % 60)] {
            field.push(mark);
            digits(field, part, 2);
        }
        field.extend_from_slice(b"+00");
    }

    /// An instant or NULL.
    pub(crate) fn optional_time(&mut self, second: Option<i64>) {
        match second {
            Some(second) => self.time(second),
            None => self.text("\\N"),
        }
    }

    /// A day or NULL.
    pub(crate) fn optional_day(&mut self, date: Option<NaiveDate>) {
        match date {
            Some(date) => day(self.field(), date),
            None => self.text("\\N"),
        }
    }

    /// A UUID.
    pub(crate) fn uuid(&mut self, bits: [u64; 2]) {
        uuid(self.field(), bits);
    }

    /// A field that a function writes.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.field());
    }
}

/// Appends a number of at least `width` digits.
pub(crate) fn digits(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut reversed = [b'0'; 20];
    let mut count = 0;
    for place in &mut reversed {
        if value == 0 && count >= width {
            break;
        }
        *place = b'0' + (value % 10) as u8;
        value /= 10;
        count += 1;
    }
    out.extend(reversed.iter().take(count).rev());
}

/// Appends an amount of money.
pub(crate) fn cents(out: &mut Vec<u8>, value: u64) {
    digits(out, value / 100, 1);
    out.push(b'.');
    digits(out, value % 100, 2);
}

fn day(out: &mut Vec<u8>, date: NaiveDate) {
    digits(out, u64::from(date.year().unsigned_abs()), 4);
    out.push(b'-');
    digits(out, u64::from(date.month()), 2);
    out.push(b'-');
    digits(out, u64::from(date.day()), 2);
}

/// Appends a random UUID (RFC 9562, version 4) made of those bits.
fn uuid(out: &mut Vec<u8>, [high, low]: [u64; 2]) {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | (0b10 << 62);
    let bytes = high.to_be_bytes().into_iter().chain(low.to_be_bytes());
    for (place, byte) in bytes.enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
}
