//! Types of the columns of a file, found by looking at every value.
//!
//! A type is only chosen when it keeps the text: `007` and `+33 1 …` stay text, since a postcode
//! or a telephone number that became a number would be lost.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// A column of a table to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name as the table gets it.
    pub name: String,
    /// Type in SQL.
    pub sql_type: String,
}

impl Column {
    /// A column for the values of one of a file; without values it is text.
    pub fn of(name: &str, kind: Option<Kind>) -> Self {
        let kind = kind.unwrap_or(Kind::Text);
        Self { name: column_name(name), sql_type: kind.sql().to_owned() }
    }
}

/// Types that are inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `boolean`.
    Boolean,
    /// `bigint`.
    Integer,
    /// `numeric`.
    Decimal,
    /// `double precision`.
    Float,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
    /// `timestamptz`.
    TimestampTz,
    /// `jsonb`: objects and arrays.
    Json,
    /// `text`.
    Text,
}

impl Kind {
    /// Name in SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "bigint",
            Self::Decimal => "numeric",
            Self::Float => "double precision",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Json => "jsonb",
            Self::Text => "text",
        }
    }

    /// The narrowest type of one text.
    pub fn of(text: &str) -> Self {
        match text {
            "true" | "false" | "TRUE" | "FALSE" | "True" | "False" => Self::Boolean,
            text if is_integer(text) => Self::Integer,
            text if is_decimal(text) => Self::Decimal,
            text if is_float(text) => Self::Float,
            text if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() => Self::Date,
            text if is_timestamp(text) => Self::Timestamp,
            text if is_timestamptz(text) => Self::TimestampTz,
            _ => Self::Text,
        }
    }

    /// The type that holds values of both.
    pub fn with(self, other: Self) -> Self {
        use Kind::{Date, Decimal, Float, Integer, Text, Timestamp};
        match (self, other) {
            (one, same) if one == same => one,
            (Integer, Decimal) | (Decimal, Integer) => Decimal,
            (Integer | Decimal, Float) | (Float, Integer | Decimal) => Float,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => Text,
        }
    }
}

/// Adds a value's type to what is known of its column.
pub fn widen(known: &mut Option<Kind>, kind: Kind) {
    *known = Some(known.map_or(kind, |known| known.with(kind)));
}

/// The name that a new table's column gets: `Customer ID` becomes `customer_id`.
pub fn column_name(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    let plain: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    match plain.trim_matches('_') {
        "" => "column".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

fn digits(text: &str) -> &str {
    text.strip_prefix('-').unwrap_or(text)
}

/// No leading zero, no plus sign, fits.
fn is_integer(text: &str) -> bool {
    let digits = digits(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && (digits == "0" || !digits.starts_with('0')) && text.parse::<i64>().is_ok()
}

/// Within the digits that `numeric` without modifier keeps: 28 before the point, 10 after it.
fn is_decimal(text: &str) -> bool {
    let Some((whole, fraction)) = digits(text).split_once('.') else { return false };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    plain(whole) && plain(fraction) && !leading_zero && whole.len() <= 28 && fraction.len() <= 10
}

/// A number in scientific notation, or with more digits than `numeric` keeps.
fn is_float(text: &str) -> bool {
    let digits = digits(text);
    let numeric = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let number = digits.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['.', 'e', 'E']);
    let leading_zero = digits.starts_with('0') && !digits.starts_with("0.");
    numeric && number && !leading_zero && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_timestamp(text: &str) -> bool {
    let text = text.replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .any(|format| NaiveDateTime::parse_from_str(&text, format).is_ok())
}

fn is_timestamptz(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
        || DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[&str]) -> Kind {
        let mut known = None;
        values.iter().for_each(|value| widen(&mut known, Kind::of(value)));
        known.unwrap_or(Kind::Text)
    }

    #[test]
    fn types_keep_the_text() {
        assert_eq!(kind(&["1", "-20", "0"]), Kind::Integer);
        assert_eq!(kind(&["01234", "75001"]), Kind::Text);
        assert_eq!(kind(&["+33123456789"]), Kind::Text);
        assert_eq!(kind(&["1", "2.50"]), Kind::Decimal);
        assert_eq!(kind(&["2.5", "1e20"]), Kind::Float);
        assert_eq!(kind(&["99999999999999999999"]), Kind::Text);
        assert_eq!(kind(&["true", "FALSE"]), Kind::Boolean);
        assert_eq!(kind(&["2024-02-29"]), Kind::Date);
        assert_eq!(kind(&["2024-02-29", "2024-02-29 12:00"]), Kind::Timestamp);
        assert_eq!(kind(&["2024-02-29T12:00:00Z", "2024-02-29 12:00:00.5+01"]), Kind::TimestampTz);
        assert_eq!(kind(&["2024-02-30"]), Kind::Text);
        assert_eq!(kind(&["1", "x"]), Kind::Text);
        assert_eq!(kind(&[]), Kind::Text);
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(column_name("\u{feff}Customer ID"), "customer_id");
        assert_eq!(column_name("InvoiceNo"), "invoiceno");
        assert_eq!(column_name(" % "), "column");
    }
}
