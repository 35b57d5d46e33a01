//! Time zones as they stand in a value: a number, an abbreviation, a name of the zone database.

use chrono_tz::{TZ_VARIANTS, Tz};

/// Where a local time belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i64),
    /// A zone with a history.
    Named(Tz),
}

/// Abbreviations with a fixed offset, in minutes east of Greenwich: the part of PostgreSQL's
/// `Default` set (src/timezone/tznames) that data carry. Some are daylight-saving times.
const ABBREVIATIONS: &[(&str, i64)] = &[
    ("acdt", 630),
    ("acst", 570),
    ("adt", -180),
    ("aedt", 660),
    ("aest", 600),
    ("akdt", -480),
    ("akst", -540),
    ("art", -180),
    ("ast", -240),
    ("awst", 480),
    ("bdst", 120),
    ("brst", -120),
    ("brt", -180),
    ("bst", 60),
    ("cadt", 630),
    ("cast", 570),
    ("cdt", -300),
    ("cest", 120),
    ("cet", 60),
    ("cetdst", 120),
    ("clt", -240),
    ("cot", -300),
    ("cst", -360),
    ("edt", -240),
    ("eest", 180),
    ("eet", 120),
    ("eetdst", 180),
    ("est", -300),
    ("fet", 180),
    ("gmt", 0),
    ("hkt", 480),
    ("hst", -600),
    ("ict", 420),
    ("idt", 180),
    ("ist", 120),
    ("jst", 540),
    ("kst", 540),
    ("mdt", -360),
    ("mest", 120),
    ("met", 60),
    ("metdst", 120),
    ("mez", 60),
    ("msd", 240),
    ("msk", 180),
    ("mst", -420),
    ("ndt", -150),
    ("nst", -210),
    ("nzdt", 780),
    ("nzst", 720),
    ("nzt", 720),
    ("pdt", -420),
    ("pet", -300),
    ("pht", 480),
    ("pkt", 300),
    ("pst", -480),
    ("sgt", 480),
    ("uct", 0),
    ("ut", 0),
    ("utc", 0),
    ("wast", 120),
    ("wat", 60),
    ("west", 60),
    ("wet", 0),
    ("wetdst", 60),
    ("z", 0),
    ("zulu", 0),
];

/// Finds a zone by abbreviation or by name, in any case.
pub(crate) fn find(name: &str) -> Option<Zone> {
    let lower = name.to_ascii_lowercase();
    if let Ok(at) = ABBREVIATIONS.binary_search_by(|(abbreviation, _)| (*abbreviation).cmp(&lower))
    {
        return ABBREVIATIONS.get(at).map(|(_, minutes)| Zone::Fixed(minutes * 60));
    }
    // The exact spelling is a hash look-up; only another case walks the list.
    let exact = name.parse().ok();
    let any_case =
        || TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(name));
    exact.or_else(any_case).map(Zone::Named)
}

/// Reads `+02`, `-0430`, `+05:30:15` as seconds east; `None` where it is no such number,
/// `Some(None)` where it is out of range (15:59:59 either way).
pub(crate) fn offset(text: &str) -> Option<Option<i64>> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let body = text.get(1..)?;
    let mut parts = body.split(':');
    let first = parts.next().filter(|digits| !digits.is_empty())?;
    let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse::<i64>().ok(),
        false => None,
    };
    let (hours, mut minutes) = match (number(first)?, first.len(), body.contains(':')) {
        (packed, 3.., false) => (packed / 100, packed % 100),
        (hours, ..) => (hours, 0),
    };
    if let Some(digits) = parts.next() {
        minutes = number(digits)?;
    }
    let seconds = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() {
        return None;
    }
    let in_range = hours <= 15 && minutes <= 59 && seconds <= 59;
    Some(in_range.then(|| sign * (hours * 3_600 + minutes * 60 + seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_sorted() {
        assert!(ABBREVIATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn zones() {
        assert_eq!(find("EST"), Some(Zone::Fixed(-18_000)));
        assert_eq!(find("europe/paris"), Some(Zone::Named(Tz::Europe__Paris)));
        assert_eq!(find("nowhere"), None);
        for (text, seconds) in [
            ("+02", 7_200),
            ("-0430", -16_200),
            ("+05:30", 19_800),
            ("+5", 18_000),
            ("-1:00:30", -3_630),
        ] {
            assert_eq!(offset(text), Some(Some(seconds)), "{text}");
        }
        assert_eq!(offset("+16"), Some(None));
        assert_eq!(offset("02"), None);
    }
}
