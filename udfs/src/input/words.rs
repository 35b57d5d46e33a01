//! Words that dates are written with (src/backend/utils/adt/datetime.c, `datetktbl`).

/// What a word in a date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Month(u32),
    /// Days of the week are checked for spelling only.
    Weekday,
    Am,
    Pm,
    Ad,
    Bc,
    /// `T` before a time.
    IsoTime,
    /// `J` before a day number.
    Julian,
    Now,
    Today,
    Yesterday,
    Tomorrow,
    Epoch,
    Infinity,
    /// 00:00:00 UTC.
    AllBalls,
    /// `at`, `on`.
    Ignored,
    /// A unit, which has a meaning in an interval only.
    Unit,
}

/// Finds a word, which is in lower case.
pub(crate) fn meaning(word: &str) -> Option<Word> {
    if let Some(month) = month(word) {
        return Some(Word::Month(month));
    }
    Some(match word {
        "am" => Word::Am,
        "pm" => Word::Pm,
        "ad" => Word::Ad,
        "bc" => Word::Bc,
        "t" => Word::IsoTime,
        "j" | "jd" | "julian" => Word::Julian,
        "now" => Word::Now,
        "today" => Word::Today,
        "yesterday" => Word::Yesterday,
        "tomorrow" => Word::Tomorrow,
        "epoch" => Word::Epoch,
        "infinity" => Word::Infinity,
        "allballs" => Word::AllBalls,
        "at" | "on" => Word::Ignored,
        "d" | "dow" | "doy" | "h" | "isodow" | "isoyear" | "m" | "mm" | "s" | "y" => Word::Unit,
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "wednesday"
        | "weds" | "thu" | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat"
        | "saturday" => Word::Weekday,
        _ => return None,
    })
}

fn month(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = word.len() == 3 || word == "sept";
    let known = |name: &&str| **name == *word || short && name.starts_with(word);
    NAMES.iter().position(known).and_then(|at| u32::try_from(at + 1).ok())
}
