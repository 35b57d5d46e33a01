//! `to_char` of numbers (manual, 9.8). The order of tests is that of `NUM_numpart_to_char` in
//! PostgreSQL's formatting.c: where blanks, signs and zeros go depends on it.

use super::names::{ordinal, roman};
use super::number_template::{Piece, Shape, SignPlace};
use crate::Result;
use crate::functions::decimal::Decimal;

/// A number on its way through a template.
struct Writer<'a> {
    shape: &'a Shape,
    /// Digits and point, without sign.
    number: Vec<u8>,
    /// Next character of `number`.
    next: usize,
    /// Place of the template's digits and point that comes next.
    place: usize,
    /// Places before the first digit.
    blanks: usize,
    /// Last digit that `FM` keeps, of a number with point.
    last: Option<usize>,
    /// How many places there are.
    count: usize,
    negative: bool,
    sign_done: bool,
    sign: Option<SignPlace>,
    bracket: bool,
    in_number: bool,
    text: String,
}

/// Writes a number by a template.
///
/// # Errors
/// A number beyond 38 digits (22003).
pub fn write(number: Decimal, pieces: &[Piece], shape: &Shape) -> Result<String> {
    if shape.roman {
        return Ok(roman_text(number, pieces, shape));
    }
    if shape.exponent {
        return Ok(scientific(number, shape.after));
    }
    let mut shape = shape.clone();
    let mut number = number;
    if let Some(shifted) = shape.shifted {
        let power = 10i128.checked_pow(u32::try_from(shifted).unwrap_or(38)).unwrap_or(i128::MAX);
        number = number.multiply(Decimal { value: power, scale: 0 })?;
        shape.before += shifted;
    }
    let rounded = number.at(i8::try_from(shape.after).unwrap_or(37))?;
    let text = Decimal { value: rounded.value.abs(), ..rounded }.to_string();
    let length = text.find('.').unwrap_or(text.len());
    let blanks = shape.before.saturating_sub(length);
    let digits = if length > shape.before { overflowing(&shape) } else { text };
    let mut writer = Writer::new(&shape, digits, blanks, rounded.value < 0);
    for piece in pieces {
        writer.piece(*piece);
    }
    Ok(writer.text)
}

fn overflowing(shape: &Shape) -> String {
    let mut text = "#".repeat(shape.before);
    if shape.after > 0 {
        text.push('.');
        text.push_str(&"#".repeat(shape.after));
    }
    text
}

fn roman_text(number: Decimal, pieces: &[Piece], shape: &Shape) -> String {
    let upper = pieces.contains(&Piece::Roman(true));
    let whole = number.at(0).map_or(0, |whole| whole.value);
    let text = i64::try_from(whole).ok().and_then(roman).unwrap_or_else(|| "#".repeat(15));
    let text = if upper { text } else { text.to_lowercase() };
    if shape.bare { text } else { format!("{text:>15}") }
}

/// ` 1.23e+05`.
fn scientific(number: Decimal, after: usize) -> String {
    let digits = number.value.unsigned_abs().to_string();
    let mut exponent =
        i32::try_from(digits.len()).unwrap_or_default() - 1 - i32::from(number.scale);
    let mut rounded = Decimal { value: number.value, scale: 0 };
    if number.is_zero() {
        exponent = 0;
    }
    let scale = i8::try_from(digits.len() - 1).unwrap_or_default();
    rounded.scale = scale;
    let mut mantissa = rounded.at(i8::try_from(after).unwrap_or(37)).unwrap_or(rounded);
    if mantissa.to_string().trim_start_matches('-').starts_with("10") {
        exponent += 1;
        mantissa = Decimal { scale: mantissa.scale + 1, ..mantissa }
            .at(mantissa.scale)
            .unwrap_or(mantissa);
    }
    let blank = if mantissa.value < 0 { "" } else { " " };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{blank}{mantissa}e{sign}{:02}", exponent.abs())
}

impl<'a> Writer<'a> {
    fn new(shape: &'a Shape, number: String, blanks: usize, negative: bool) -> Self {
        let number = number.into_bytes();
        let mut count = (shape.before + shape.after).saturating_sub(1);
        let own_sign = shape.plus || shape.minus;
        let bracket = shape.bracket && (negative || !shape.bare);
        let sign_done = if own_sign {
            shape.minus || !shape.plus
        } else {
            !negative && shape.bare && shape.sign.is_none()
        };
        let sign = match shape.sign {
            Some(SignPlace::Before) if shape.before == shape.before_sign => Some(SignPlace::After),
            sign => sign,
        };
        if !sign_done && blanks == 0 {
            count += 1;
        }
        let last =
            (shape.bare && shape.point).then(|| last_relevant(shape, &number, blanks)).flatten();
        Self {
            shape,
            number,
            next: 0,
            place: 0,
            blanks,
            last,
            count,
            negative,
            sign_done,
            sign,
            bracket,
            in_number: false,
            text: String::new(),
        }
    }

    fn piece(&mut self, piece: Piece) {
        let blank = if self.shape.bare { "" } else { " " };
        match piece {
            Piece::Nine | Piece::Zero | Piece::Point => self.digit(piece),
            Piece::Comma if self.in_number => self.text.push(','),
            Piece::Comma | Piece::Currency => self.text.push_str(blank),
            Piece::Minus => self.text.push_str(if self.negative { "-" } else { blank }),
            Piece::Plus => self.text.push_str(if self.negative { blank } else { "+" }),
            Piece::Sign => self.text.push(if self.negative { '-' } else { '+' }),
            Piece::Ordinal(upper) => self.ordinal(upper),
            Piece::Literal(letter) => self.text.push(letter),
            Piece::Silent | Piece::Roman(_) => {}
        }
    }

    fn ordinal(&mut self, upper: bool) {
        if self.negative || self.number.first() == Some(&b'#') || self.shape.point {
            return;
        }
        let suffix = ordinal(&String::from_utf8_lossy(&self.number));
        self.text.push_str(&if upper { suffix.to_uppercase() } else { suffix.to_owned() });
    }

    fn current(&self) -> Option<u8> {
        self.number.get(self.next).copied()
    }

    /// `0.1` in `9.9` is ` .1`.
    fn is_blank_zero(&self) -> bool {
        self.shape.zero_start.is_none()
            && self.next == 0
            && self.current() == Some(b'0')
            && self.shape.after != 0
    }

    fn ends_with_point(&self) -> bool {
        self.last.is_some_and(|last| self.number.get(last) == Some(&b'.'))
    }

    fn write_sign(&mut self) {
        let at_zero = self.shape.zero_start == Some(self.place);
        let reached = self.place >= self.blanks || at_zero;
        if self.sign_done || !reached || self.is_blank_zero() && !self.ends_with_point() {
            return;
        }
        match self.sign {
            Some(SignPlace::After) => return,
            Some(SignPlace::Before) => self.text.push(if self.negative { '-' } else { '+' }),
            None if self.bracket => self.text.push(if self.negative { '<' } else { ' ' }),
            None if self.negative => self.text.push('-'),
            None if !self.shape.bare => self.text.push(' '),
            None => {}
        }
        self.sign_done = true;
    }

    fn digit(&mut self, piece: Piece) {
        self.write_sign();
        let zeros = self.shape.zero_start.is_some_and(|start| start <= self.place);
        if self.place < self.blanks {
            if zeros {
                self.text.push('0');
                self.in_number = true;
            } else if !self.shape.bare {
                self.text.push(' ');
            }
        } else {
            self.write_current(piece);
            if self.current().is_some() {
                self.next += 1;
            }
        }
        self.write_end();
        self.place += 1;
    }

    fn write_current(&mut self, piece: Piece) {
        match self.current() {
            // A point is kept unless `FM` cuts everything behind it, and then it stays bare.
            Some(b'.') => self.text.push('.'),
            _ if self.last.is_some_and(|last| self.next > last) && piece != Piece::Zero => {}
            Some(_) if self.is_blank_zero() => {
                if !self.shape.bare {
                    self.text.push(' ');
                } else if self.ends_with_point() {
                    self.text.push('0');
                }
            }
            Some(digit) => {
                self.text.push(char::from(digit));
                self.in_number = true;
            }
            None => {}
        }
    }

    fn write_end(&mut self) {
        let mut end = self.count + usize::from(self.blanks > 0) + usize::from(self.shape.point);
        if self.last == Some(self.next) {
            end = self.place;
        }
        if self.place + 1 != end {
            return;
        }
        if self.sign_done && self.bracket {
            self.text.push(if self.negative { '>' } else { ' ' });
        } else if self.sign == Some(SignPlace::After) {
            self.text.push(if self.negative { '-' } else { '+' });
        }
    }
}

/// The last digit that is no trailing zero behind the point, or the point.
fn last_relevant(shape: &Shape, number: &[u8], blanks: usize) -> Option<usize> {
    let point = number.iter().position(|byte| *byte == b'.')?;
    let mut last = number
        .iter()
        .enumerate()
        .skip(point)
        .rev()
        .find(|(index, byte)| *index == point || **byte != b'0')
        .map(|(index, _)| index)?;
    if shape.zero_end > blanks {
        last = last.max((number.len() - 1).min(shape.zero_end - blanks));
    }
    Some(last)
}
