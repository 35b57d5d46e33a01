//! Ranges (manual, 8.17): `[1,10)`, kept as text in PostgreSQL's canonical form, instants in UTC.

use std::cmp::{max, min};

use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use crate::input::{self, Context};
use crate::numeric::{Number, stored};
use crate::output::temporal;
use crate::types::PgType;
use crate::{Result, ValueError};

/// A type of ranges and that of its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `int4range` …
    pub range: PgType,
    /// `integer` …
    pub element: PgType,
}

const fn kind(range: u32, element: PgType) -> Kind {
    Kind { range: PgType::plain(range), element }
}

/// Every type of ranges.
pub const KINDS: [Kind; 6] = [
    kind(3904, PgType::INT4),
    kind(3926, PgType::INT8),
    kind(3906, PgType::NUMERIC),
    kind(3908, PgType::TIMESTAMP),
    kind(3910, PgType::TIMESTAMPTZ),
    kind(3912, PgType::DATE),
];

/// Where a range begins or ends, in order: just before or, if true, just behind a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Before everything.
    Low,
    /// Beside a value.
    At(Number, bool),
    /// Behind everything.
    High,
}

/// What lies between two cuts; `None`: empty.
pub type Range = Option<(Cut, Cut)>;

/// `date` and instants keep infinity as their largest and smallest numbers.
fn is_infinite(kind: Kind, number: &Number) -> bool {
    let ends = match kind.element {
        PgType::DATE => [i64::from(i32::MIN), i64::from(i32::MAX)],
        _ => [i64::MIN, i64::MAX],
    };
    kind.element != PgType::NUMERIC && ends.iter().any(|end| *number == Number::from(*end))
}

impl Kind {
    /// The kind of a type of ranges.
    pub fn of(pg_type: PgType) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.range.oid == pg_type.oid)
    }

    /// A bound as a number: days, microseconds.
    ///
    /// # Errors
    /// Those of the bounds' type.
    pub fn point(self, text: &str, ctx: &Context) -> Result<Number> {
        if self.element == PgType::NUMERIC {
            return Number::parse(text);
        }
        Ok(match input::parse(self.element, Some(text), ctx)? {
            ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => {
                i64::from(value).into()
            }
            ScalarValue::Int64(Some(value)) | ScalarValue::TimestampMicrosecond(Some(value), _) => {
                value.into()
            }
            _ => return Err(ValueError::new("XX000", "a bound without a value")),
        })
    }

    fn whole(self, number: &Number) -> i64 {
        number.finite().and_then(|finite| finite.whole()).unwrap_or_default()
    }

    /// A bound's value where it is kept as a whole number.
    pub fn integer(self, number: &Number) -> i64 {
        self.whole(number)
    }

    fn point_text(self, number: &Number, zone: Tz) -> String {
        let mut out = Vec::new();
        let value = self.whole(number);
        match self.element {
            PgType::DATE => temporal::write_date(value as i32, &mut out),
            PgType::TIMESTAMP => temporal::write_timestamp(value, &mut out),
            PgType::TIMESTAMPTZ => temporal::write_timestamptz(value, zone, &mut out),
            _ => out.extend(number.to_string().into_bytes()),
        }
        String::from_utf8(out).unwrap_or_default()
    }

    /// Reads `[1,10)`, `empty`.
    ///
    /// # Errors
    /// 22P02 malformed range literal, and those of [`Kind::made`].
    pub fn parse(self, text: &str, ctx: &Context) -> Result<Range> {
        let malformed = |detail: &str| {
            ValueError::new("22P02", format!("malformed range literal: \"{text}\""))
                .with_detail(detail)
        };
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("empty") {
            return Ok(None);
        }
        let mut rest = trimmed.chars().peekable();
        let opened = match rest.next() {
            Some('[') => true,
            Some('(') => false,
            _ => return Err(malformed("Missing left parenthesis or bracket.")),
        };
        let (lower, end) = bound(&mut rest).ok_or_else(|| malformed("Unexpected end of input."))?;
        if end != ',' {
            return Err(malformed("Missing comma after lower bound."));
        }
        let (upper, end) = bound(&mut rest).ok_or_else(|| malformed("Unexpected end of input."))?;
        if end == ',' {
            return Err(malformed("Too many commas."));
        }
        if rest.next().is_some() {
            return Err(malformed("Junk after right parenthesis or bracket."));
        }
        let point = |text: Option<String>| text.map(|text| self.point(&text, ctx)).transpose();
        self.made((point(lower)?, opened), (point(upper)?, end == ']'))
    }

    /// A range from its bounds, `None`: unbounded, and whether they belong to it.
    ///
    /// # Errors
    /// 22000 for bounds in the wrong order, 22003 or 22008 where a whole bound has no next.
    pub fn made(
        self,
        (lower, with_lower): (Option<Number>, bool),
        (upper, with_upper): (Option<Number>, bool),
    ) -> Result<Range> {
        if let (Some(lower), Some(upper)) = (&lower, &upper)
            && lower > upper
        {
            let text = "range lower bound must be less than or equal to range upper bound";
            return Err(ValueError::new("22000", text));
        }
        let low = lower.map_or(Cut::Low, |value| Cut::At(value, !with_lower));
        let high = upper.map_or(Cut::High, |value| Cut::At(value, with_upper));
        let (low, high) = (self.canonical(low)?, self.canonical(high)?);
        Ok((low < high).then_some((low, high)))
    }

    /// Whole values have a next one: ranges of them begin with their lower bound and end before
    /// their upper one.
    fn canonical(self, cut: Cut) -> Result<Cut> {
        let whole = [PgType::INT4, PgType::INT8, PgType::DATE].contains(&self.element);
        match cut {
            Cut::At(value, true) if whole && !is_infinite(self, &value) => {
                let next = self.whole(&value).checked_add(1);
                let last = if self.element == PgType::INT8 { i64::MAX } else { i32::MAX.into() };
                let next = next.filter(|next| *next <= last);
                let name = self.element.sql_name();
                let code = if self.element == PgType::DATE { "22008" } else { "22003" };
                let out = || ValueError::new(code, format!("{name} out of range"));
                Ok(Cut::At(next.ok_or_else(out)?.into(), false))
            }
            cut => Ok(cut),
        }
    }

    /// The text of a range, instants in a zone.
    pub fn text(self, range: &Range, zone: Tz) -> String {
        let Some((low, high)) = range else { return "empty".to_owned() };
        let point = |number: &Number| quoted(self.point_text(number, zone));
        let (open, low) = match low {
            Cut::At(value, behind) => (if *behind { '(' } else { '[' }, point(value)),
            _ => ('(', String::new()),
        };
        let (close, high) = match high {
            Cut::At(value, behind) => (if *behind { ']' } else { ')' }, point(value)),
            _ => (')', String::new()),
        };
        format!("{open}{low},{high}{close}")
    }

    /// A range from the text that keeps it.
    ///
    /// # Errors
    /// As [`Kind::parse`].
    pub fn kept(self, text: &str) -> Result<Range> {
        self.parse(text, &Context::default())
    }

    /// The text that keeps a range.
    pub fn to_kept(self, range: &Range) -> String {
        self.text(range, Tz::UTC)
    }
}

/// One bound, `None`: there is none, and what ends it.
fn bound(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<(Option<String>, char)> {
    if let Some(end) = rest.next_if(|next| matches!(next, ',' | ')' | ']')) {
        return Some((None, end));
    }
    let (mut text, mut quotes) = (String::new(), false);
    loop {
        match rest.next()? {
            end @ (',' | ')' | ']') if !quotes => return Some((Some(text), end)),
            '\\' => text.push(rest.next()?),
            '"' if quotes && rest.peek() == Some(&'"') => text.extend(rest.next()),
            '"' => quotes = !quotes,
            letter => text.push(letter),
        }
    }
}

fn quoted(text: String) -> String {
    let special = |one: char| "\"\\()[],".contains(one) || one.is_whitespace();
    match text.is_empty() || text.contains(special) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\"")),
        false => text,
    }
}

/// What two ranges have in common.
pub fn intersection(one: &Range, other: &Range) -> Range {
    let ((low, high), (from, to)) = (one.clone()?, other.clone()?);
    let (low, high) = (max(low, from), min(high, to));
    (low < high).then_some((low, high))
}

/// Both in one.
///
/// # Errors
/// 22000 where something lies between them.
pub fn union(one: &Range, other: &Range) -> Result<Range> {
    let (Some((low, high)), Some((from, to))) = (one, other) else {
        return Ok(one.clone().or_else(|| other.clone()));
    };
    if high < from || to < low {
        return Err(ValueError::new("22000", "result of range union would not be contiguous"));
    }
    Ok(Some((min(low, from).clone(), max(high, to).clone())))
}

/// The first without the second.
///
/// # Errors
/// 22000 where two parts would be left.
pub fn difference(one: &Range, other: &Range) -> Result<Range> {
    let (Some((low, high)), Some((from, to))) = (one, other) else { return Ok(one.clone()) };
    if high <= from || to <= low {
        return Ok(one.clone());
    }
    match (low < from, to < high) {
        (true, true) => {
            Err(ValueError::new("22000", "result of range difference would not be contiguous"))
        }
        (true, false) => Ok(Some((low.clone(), from.clone()))),
        (false, true) => Ok(Some((to.clone(), high.clone()))),
        (false, false) => Ok(None),
    }
}

/// Text that sorts as the ranges do: empty ones first, then by where they begin, then end.
pub fn sort_key(range: &Range) -> String {
    let Some((low, high)) = range else { return "0".to_owned() };
    let cut = |cut: &Cut| match cut {
        Cut::Low => "0".to_owned(),
        Cut::High => "2".to_owned(),
        Cut::At(value, behind) => {
            let (mut kept, mut key) = (Vec::new(), Vec::new());
            stored::write(value, &mut kept);
            stored::key(&kept, &mut key);
            let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            // What ends the digits sorts before any of them.
            format!("1{digits}.{}", u8::from(*behind))
        }
    };
    format!("1{}{}", cut(low), cut(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(range: u32, text: &str) -> String {
        let kind = Kind::of(PgType::plain(range)).unwrap();
        match kind.kept(text) {
            Ok(range) => kind.to_kept(&range),
            Err(error) => format!("{} {}", error.sqlstate, error.message),
        }
    }

    #[test]
    fn literals_are_canonical() {
        for (range, text, expected) in [
            (3904, "[1,5]", "[1,6)"),
            (3904, "(1,5)", "[2,5)"),
            (3904, "(1,2)", "empty"),
            (3904, " empty ", "empty"),
            (3904, "[,5]", "(,6)"),
            (3904, "(,)", "(,)"),
            (
                3904,
                "[5,1]",
                "22000 range lower bound must be less than or equal to range upper bound",
            ),
            (3904, "[1,2147483647]", "22003 integer out of range"),
            (3904, "1,2", "22P02 malformed range literal: \"1,2\""),
            (3906, "[1.0,2.50)", "[1.0,2.50)"),
            (3906, "(1,1]", "empty"),
            (3912, "[2024-01-01,2024-01-31]", "[2024-01-01,2024-02-01)"),
            (3908, "[2024-01-01,2024-01-02)", "[\"2024-01-01 00:00:00\",\"2024-01-02 00:00:00\")"),
        ] {
            assert_eq!(read(range, text), expected, "{text}");
        }
    }

    #[test]
    fn keys_sort_as_ranges_do() {
        let kind = Kind::of(PgType::plain(3906)).unwrap();
        let ordered =
            ["empty", "(,1)", "(,)", "[-2,3)", "[1,2)", "[1,2]", "[1,10)", "(1,2)", "[10,)"];
        let keys: Vec<String> =
            ordered.iter().map(|text| sort_key(&kind.kept(text).unwrap())).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
