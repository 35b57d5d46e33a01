//! Units of an interval (src/backend/utils/adt/datetime.c, `deltatktbl`).

/// What one of a unit is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Micros(i64),
    Days(i64),
    Months(i64),
}

/// Finds a unit by any of its spellings in lower case; returns its name too.
pub(crate) fn find(word: &str) -> Option<(&'static str, Unit)> {
    Some(match word {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => {
            ("microsecond", Unit::Micros(1))
        }
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => {
            ("millisecond", Unit::Micros(1_000))
        }
        "s" | "sec" | "secs" | "second" | "seconds" => ("second", Unit::Micros(1_000_000)),
        "m" | "min" | "mins" | "minute" | "minutes" => ("minute", Unit::Micros(60_000_000)),
        "h" | "hr" | "hrs" | "hour" | "hours" => ("hour", Unit::Micros(3_600_000_000)),
        "d" | "day" | "days" => ("day", Unit::Days(1)),
        "w" | "week" | "weeks" => ("week", Unit::Days(7)),
        "mon" | "mons" | "month" | "months" => ("month", Unit::Months(1)),
        "y" | "yr" | "yrs" | "year" | "years" => ("year", Unit::Months(12)),
        "dec" | "decs" | "decade" | "decades" => ("decade", Unit::Months(120)),
        "c" | "cent" | "century" | "centuries" => ("century", Unit::Months(1_200)),
        "mil" | "mils" | "millennium" | "millennia" => ("millennium", Unit::Months(12_000)),
        _ => return None,
    })
}
