//! Text and the types that are kept as text with a rule: `varchar(n)`, `char(n)`, `name`, `uuid`,
//! `bit`, `inet`.

use std::borrow::Cow;

use crate::range::Kind;
use crate::types::PgType;
use crate::{Result, ValueError};

/// Bytes of a `name` (NAMEDATALEN − 1).
const NAME_LENGTH_MAX: usize = 63;

/// What a text type asks of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Anything without a zero byte.
    Any,
    /// `varchar(n)`.
    AtMost(usize),
    /// `char(n)`: blank-padded.
    Padded(usize),
    /// `name`: cut to 63 bytes.
    Name,
    /// `"char"`: one byte.
    SingleByte,
    Uuid,
    Json,
    Jsonb,
    TimeTz,
    Inet,
    /// `pg_lsn`.
    LogPlace,
    /// `int4range` and its kin.
    Range(Kind),
    /// `bit(n)`.
    Bit(usize),
    /// `bit varying(n)`.
    VarBit(Option<usize>),
}

impl Rule {
    /// The rule of a type that is kept as text.
    pub(crate) fn of(pg_type: PgType) -> Self {
        let length = usize::try_from(pg_type.modifier).ok().filter(|length| *length > 0);
        match (pg_type.oid, pg_type.length_max()) {
            (1043, Some(length)) => Self::AtMost(length),
            (1042, Some(length)) => Self::Padded(length),
            (18, _) => Self::SingleByte,
            (19, _) => Self::Name,
            (114, _) => Self::Json,
            (869, _) => Self::Inet,
            (1266, _) => Self::TimeTz,
            (1560, _) => Self::Bit(length.unwrap_or(1)),
            (1562, _) => Self::VarBit(length),
            (2950, _) => Self::Uuid,
            (3904..=3927, _) => Kind::of(pg_type).map_or(Self::Any, Self::Range),
            (3220, _) => Self::LogPlace,
            (3802, _) => Self::Jsonb,
            _ => Self::Any,
        }
    }

    /// The text as this rule keeps it.
    pub(crate) fn apply<'t>(self, text: &'t str, ctx: &super::Context) -> Result<Cow<'t, str>> {
        if text.as_bytes().contains(&0) {
            return Err(ValueError::new(
                "22021",
                "invalid byte sequence for encoding \"UTF8\": 0x00",
            ));
        }
        match self {
            Self::Any => Ok(Cow::Borrowed(text)),
            Self::AtMost(length) => at_most(text, length, "character varying").map(Cow::Borrowed),
            Self::Padded(length) => {
                at_most(text, length, "character").map(|text| padded(text, length))
            }
            Self::Name => Ok(Cow::Borrowed(cut_bytes(text, NAME_LENGTH_MAX))),
            Self::SingleByte => Ok(Cow::Borrowed(cut(text, 1))),
            Self::Uuid => uuid(text).map(Cow::Owned),
            Self::Json => super::json::validate(text).map(|()| Cow::Borrowed(text)),
            Self::Jsonb => super::json::normalise(text).map(Cow::Owned),
            Self::TimeTz => super::time::parse_timetz(text, ctx).map(Cow::Owned),
            Self::Inet => inet(text).map(Cow::Owned),
            Self::LogPlace => log_place(text).map(Cow::Owned),
            Self::Range(kind) => Ok(Cow::Owned(kind.to_kept(&kind.parse(text, ctx)?))),
            Self::Bit(length) => bits(text, Some(length), true),
            Self::VarBit(length) => bits(text, length, false),
        }
    }
}

/// Without the blanks that C's `isspace` knows at either end.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

/// The first `length` characters.
pub(crate) fn cut(text: &str, length: usize) -> &str {
    match text.char_indices().nth(length) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// At most `length` bytes, whole characters.
fn cut_bytes(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

/// Refuses more than `length` characters, unless what is too much is blank (manual §8.3).
fn at_most<'t>(text: &'t str, length: usize, type_name: &str) -> Result<&'t str> {
    if text.len() <= length {
        return Ok(text);
    }
    let head = cut(text, length);
    match text.get(head.len()..).is_none_or(|rest| rest.bytes().all(|byte| byte == b' ')) {
        true => Ok(head),
        false => {
            Err(ValueError::new("22001", format!("value too long for type {type_name}({length})")))
        }
    }
}

/// Blank-padded to `length` characters.
pub(crate) fn padded(text: &str, length: usize) -> Cow<'_, str> {
    match length.saturating_sub(text.chars().count()) {
        0 => Cow::Borrowed(text),
        missing => Cow::Owned(text.chars().chain(std::iter::repeat_n(' ', missing)).collect()),
    }
}

/// 32 hexadecimal digits in either case, in braces or not, with a hyphen allowed after any group
/// of four (manual §8.12).
fn uuid(text: &str) -> Result<String> {
    let invalid = || ValueError::invalid_text("uuid", text);
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').ok_or_else(invalid)?,
        None => text,
    };
    let mut kept = String::with_capacity(36);
    let (mut digits, mut hyphen_allowed) = (0, false);
    for byte in inner.bytes() {
        match byte {
            b'-' if hyphen_allowed && digits < 32 => hyphen_allowed = false,
            _ if byte.is_ascii_hexdigit() && digits < 32 => {
                if matches!(digits, 8 | 12 | 16 | 20) {
                    kept.push('-');
                }
                kept.push(char::from(byte.to_ascii_lowercase()));
                digits += 1;
                hyphen_allowed = digits % 4 == 0;
            }
            _ => return Err(invalid()),
        }
    }
    if digits == 32 { Ok(kept) } else { Err(invalid()) }
}

/// An address with an optional network length; the length of a single host is not printed.
fn inet(text: &str) -> Result<String> {
    let invalid = || ValueError::invalid_text("inet", text);
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| invalid())?)),
        None => (text, None),
    };
    let address: std::net::IpAddr = address.parse().map_err(|_| invalid())?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    match bits {
        Some(bits) if bits > all => Err(invalid()),
        Some(bits) if bits < all => Ok(format!("{address}/{bits}")),
        _ => Ok(address.to_string()),
    }
}

/// Two hexadecimal numbers of 32 bits: `16/B374D848`.
fn log_place(text: &str) -> Result<String> {
    let part = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => u32::from_str_radix(digits, 16).ok(),
        false => None,
    };
    let parts = text.split_once('/').and_then(|(high, low)| Some((part(high)?, part(low)?)));
    let (high, low) = parts.ok_or_else(|| ValueError::invalid_text("pg_lsn", text))?;
    Ok(format!("{high:X}/{low:X}"))
}

fn bits(text: &str, length: Option<usize>, exact: bool) -> Result<Cow<'_, str>> {
    let (kept, refused) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (
            Cow::Owned(
                digits.chars().filter_map(|c| c.to_digit(16)).map(|d| format!("{d:04b}")).collect(),
            ),
            digits.chars().find(|c| !c.is_ascii_hexdigit()).map(|c| (c, "hexadecimal")),
        ),
        None => {
            let digits = text.strip_prefix(['b', 'B']).unwrap_or(text);
            (
                Cow::Borrowed(digits),
                digits.chars().find(|c| !matches!(c, '0' | '1')).map(|c| (c, "binary")),
            )
        }
    };
    if let Some((digit, base)) = refused {
        return Err(ValueError::new("22P02", format!("\"{digit}\" is not a valid {base} digit")));
    }
    match length {
        Some(length) if exact && kept.len() != length => Err(ValueError::new(
            "22026",
            format!("bit string length {} does not match type bit({length})", kept.len()),
        )),
        Some(length) if kept.len() > length => Err(ValueError::new(
            "22001",
            format!("bit string too long for type bit varying({length})"),
        )),
        _ => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rule: Rule, text: &str) -> String {
        rule.apply(text, &crate::input::Context::default()).unwrap().into_owned()
    }

    fn refused(rule: Rule, text: &str) -> ValueError {
        rule.apply(text, &crate::input::Context::default()).unwrap_err()
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(kept(Rule::AtMost(3), "äöü"), "äöü");
        assert_eq!(kept(Rule::AtMost(3), "abc   "), "abc");
        assert_eq!(kept(Rule::Padded(3), "ä"), "ä  ");
        let error = refused(Rule::AtMost(3), "abcd");
        assert_eq!(
            (error.sqlstate, error.message.as_str()),
            ("22001", "value too long for type character varying(3)")
        );
        assert_eq!(
            refused(Rule::Padded(3), "abcd").message,
            "value too long for type character(3)"
        );
        assert_eq!(kept(Rule::Name, &"x".repeat(70)).len(), 63);
    }

    #[test]
    fn uuids() {
        let canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for text in [
            canonical,
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(kept(Rule::Uuid, text), canonical);
        }
        for text in
            ["", "a0ee", "{a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11-"]
        {
            assert_eq!(refused(Rule::Uuid, text).sqlstate, "22P02", "{text}");
        }
    }

    #[test]
    fn bits_and_addresses() {
        assert_eq!(kept(Rule::Bit(4), "x1"), "0001");
        assert_eq!(refused(Rule::Bit(3), "01").sqlstate, "22026");
        assert_eq!(refused(Rule::VarBit(None), "012").message, "\"2\" is not a valid binary digit");
        assert_eq!(kept(Rule::Inet, "192.168.0.1/32"), "192.168.0.1");
        assert_eq!(kept(Rule::Inet, "10.0.0.0/8"), "10.0.0.0/8");
        assert_eq!(refused(Rule::Inet, "300.1.1.1").sqlstate, "22P02");
    }
}
