//! Time zones by name, abbreviation or offset (manual, 8.5.3).

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::{Result, ValueError};

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A named zone with its history.
    Named(Tz),
    /// Seconds east of UTC.
    Fixed(i32),
}

/// Abbreviations of PostgreSQL's default set that people use, seconds east of UTC.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("zulu", 0),
    ("wet", 0),
    ("bst", 3600),
    ("cet", 3600),
    ("cest", 7200),
    ("met", 3600),
    ("mest", 7200),
    ("eet", 7200),
    ("eest", 10800),
    ("msk", 10800),
    ("est", -18000),
    ("edt", -14400),
    ("cst", -21600),
    ("cdt", -18000),
    ("mst", -25200),
    ("mdt", -21600),
    ("pst", -28800),
    ("pdt", -25200),
    ("akst", -32400),
    ("hst", -36000),
    ("ist", 7200),
    ("jst", 32400),
    ("kst", 32400),
    ("aest", 36000),
    ("aedt", 39600),
    ("nzst", 43200),
    ("nzdt", 46800),
    ("brt", -10800),
    ("art", -10800),
    ("sast", 7200),
];

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self::Fixed(0);

    /// Finds a zone: `Europe/Paris`, `CET`, `+02:00`, `UTC+3` (POSIX: west).
    ///
    /// # Errors
    /// `time zone "x" not recognized` (22023).
    pub fn parse(name: &str) -> Result<Self> {
        Self::find(name.trim()).ok_or_else(|| {
            ValueError::invalid_parameter(format!("time zone \"{name}\" not recognized"))
        })
    }

    fn find(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if let Some((_, seconds)) = ABBREVIATIONS.iter().find(|(known, _)| *known == lower) {
            return Some(Self::Fixed(*seconds));
        }
        // The zone of a value, `+02:00`, is ISO: east is positive.
        if name.starts_with(['+', '-']) {
            return offset(name).map(Self::Fixed);
        }
        let any_case =
            || TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(name));
        if let Some(zone) = name.parse().ok().or_else(any_case) {
            return Some(Self::Named(zone));
        }
        // POSIX: <+02>-02 and UTC+2, where west is positive.
        let tail = match name.strip_prefix('<') {
            Some(rest) => rest.split_once('>')?.1,
            None => name.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()),
        };
        (tail.len() < name.len())
            .then(|| offset(tail))
            .flatten()
            .map(|seconds| Self::Fixed(-seconds))
    }

    /// Seconds east of UTC at an instant, in microseconds of UTC.
    pub fn offset_at(&self, utc: i64) -> i32 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Named(zone) => naive(utc)
                .map_or(0, |utc| zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
        }
    }

    /// UTC → local time, microseconds. The infinities stay.
    pub fn to_local(&self, utc: i64) -> i64 {
        if utc == i64::MAX || utc == i64::MIN {
            return utc;
        }
        utc.saturating_add(i64::from(self.offset_at(utc)) * 1_000_000)
    }

    /// Local time → UTC, microseconds. A time that a clock change skips or repeats takes the
    /// offset of standard time, as PostgreSQL does.
    pub fn to_utc(&self, local: i64) -> i64 {
        if local == i64::MAX || local == i64::MIN {
            return local;
        }
        let seconds = match self {
            Self::Fixed(seconds) => *seconds,
            Self::Named(zone) => naive(local).map_or(0, |naive| local_offset(*zone, &naive, local)),
        };
        local.saturating_sub(i64::from(seconds) * 1_000_000)
    }

    /// The abbreviation at an instant, `CET`; an offset has none and shows as `+02`.
    pub fn abbreviation(&self, utc: i64) -> String {
        match self {
            Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(seconds) => print_offset(*seconds),
            Self::Named(zone) => naive(utc)
                .map_or_else(String::new, |utc| zone.offset_from_utc_datetime(&utc).to_string()),
        }
    }
}

fn local_offset(zone: Tz, naive: &NaiveDateTime, local: i64) -> i32 {
    match zone.offset_from_local_datetime(naive) {
        LocalResult::Single(offset) => offset.fix().local_minus_utc(),
        LocalResult::Ambiguous(first, second) => {
            first.fix().local_minus_utc().min(second.fix().local_minus_utc())
        }
        LocalResult::None => Zone::Named(zone).offset_at(local.saturating_sub(86_400_000_000)),
    }
}

fn naive(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

/// `+02`, `-03:30`, `+0530`, `+05:30:15` → seconds.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => (1, text),
    };
    let parts: Vec<&str> = match digits.split(':').collect::<Vec<_>>() {
        parts if parts.len() == 1 && digits.len() == 4 => vec![digits.get(..2)?, digits.get(2..)?],
        parts => parts,
    };
    if parts.len() > 3 {
        return None;
    }
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok().filter(|part| (0..168).contains(part))? * unit;
    }
    Some(sign * seconds)
}

/// `+02`, `-03:30`.
pub fn print_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) =
        (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    match (minutes, rest) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_every_spelling() {
        assert_eq!(Zone::parse("+05:30").unwrap(), Zone::Fixed(19800));
        assert_eq!(Zone::parse("UTC+3").unwrap(), Zone::Fixed(-10800));
        assert_eq!(Zone::parse("<+02>-02").unwrap(), Zone::Fixed(7200));
        assert_eq!(Zone::parse("europe/paris").unwrap(), Zone::Named(chrono_tz::Europe::Paris));
        assert_eq!(
            Zone::parse("Nowhere").unwrap_err().message,
            "time zone \"Nowhere\" not recognized"
        );
    }
}
