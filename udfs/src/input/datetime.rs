//! The general road of dates and times: every form that PostgreSQL takes
//! (src/backend/utils/adt/datetime.c, `DecodeDateTime`; manual appendix B).

use super::decoder::Decoder;
use super::zone::Zone;
use super::{Context, tokens};
use crate::{Result, ValueError};

/// What a text says, before it is a value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Infinity,
    NegativeInfinity,
    /// 1970-01-01 00:00:00 UTC.
    Epoch,
    /// Start of the transaction.
    Now,
    /// Days since 1970 and microseconds on the wall clock of a zone, the session's if `None`.
    Local {
        days: i64,
        micros: i64,
        zone: Option<Zone>,
    },
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) micros: i64,
    pub(crate) zone: Option<Zone>,
    /// Days since 1970, where the text had a date.
    pub(crate) days: Option<i64>,
}

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Syntax,
    OutOfRange,
    /// A month or day that could be right in another order.
    MonthOrDay,
    ZoneOutOfRange,
    UnknownZone(String),
}

impl Refusal {
    /// PostgreSQL's error (`DateTimeParseError`).
    pub(crate) fn error(self, text: &str, type_name: &str) -> ValueError {
        let out_of_range =
            || ValueError::new("22008", format!("date/time field value out of range: \"{text}\""));
        match self {
            Self::Syntax => {
                ValueError { sqlstate: "22007", ..ValueError::invalid_text(type_name, text) }
            }
            Self::OutOfRange => out_of_range(),
            Self::MonthOrDay => {
                out_of_range().with_hint("Perhaps you need a different \"datestyle\" setting.")
            }
            Self::ZoneOutOfRange => {
                ValueError::new("22009", format!("time zone displacement out of range: \"{text}\""))
            }
            Self::UnknownZone(zone) => {
                ValueError::new("22023", format!("time zone \"{zone}\" not recognized"))
            }
        }
    }
}

/// Reads a date with or without a time.
pub(crate) fn parse(text: &str, type_name: &str, ctx: &Context) -> Result<Moment> {
    let refused = |refusal: Refusal| refusal.error(text, type_name);
    let fields = tokens::split(text).ok_or_else(|| refused(Refusal::Syntax))?;
    let mut decoder = Decoder::new(ctx, false);
    decoder.read(&fields).and_then(|()| decoder.moment()).map_err(refused)
}

/// Reads a time with or without a date.
pub(crate) fn parse_time(text: &str, type_name: &str, ctx: &Context) -> Result<Clock> {
    let refused = |refusal: Refusal| refusal.error(text, type_name);
    let fields = tokens::split(text).ok_or_else(|| refused(Refusal::Syntax))?;
    let mut decoder = Decoder::new(ctx, true);
    decoder.read(&fields).and_then(|()| decoder.clock()).map_err(refused)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;

    use crate::input::{Context, DateOrder, parse};
    use crate::output::{Style, to_text_array};
    use crate::types::PgType;

    fn round_trip(pg_type: PgType, text: &str, ctx: &Context) -> String {
        match parse(pg_type, Some(text), ctx) {
            Err(error) => format!("{} {}", error.sqlstate, error.message),
            Ok(value) => {
                let style = Style { time_zone: ctx.time_zone, ..Style::default() };
                let printed = to_text_array(&value.to_array().unwrap(), pg_type, &style).unwrap();
                printed.as_string_view().value(0).to_owned()
            }
        }
    }

    fn check(pg_type: PgType, cases: &[(&str, &str)]) {
        let ctx = Context { time_zone: chrono_tz::Tz::America__New_York, ..Context::default() };
        for (text, expected) in cases {
            assert_eq!(round_trip(pg_type, text, &ctx), *expected, "{text}");
        }
    }

    #[test]
    fn dates() {
        check(
            PgType::DATE,
            &[
                ("2024-01-02", "2024-01-02"),
                ("January 8, 1999", "1999-01-08"),
                ("08-Jan-1999", "1999-01-08"),
                ("1/8/1999", "1999-01-08"),
                ("1999.008", "1999-01-08"),
                ("19990108", "1999-01-08"),
                ("990108", "1999-01-08"),
                ("99-Jan-08", "22008 date/time field value out of range: \"99-Jan-08\""),
                ("Jan-08-99", "1999-01-08"),
                ("J2451187", "1999-01-08"),
                ("January 8, 99 BC", "0099-01-08 BC"),
                ("8 January 1999", "1999-01-08"),
                ("2024-1-2", "2024-01-02"),
                ("2024-01-02 03:04:05", "2024-01-02"),
                ("infinity", "infinity"),
                ("-infinity", "-infinity"),
                ("epoch", "1970-01-01"),
                ("0044-03-15 BC", "0044-03-15 BC"),
                ("5874897-12-31", "5874897-12-31"),
                ("5874898-01-01", "22008 date out of range: \"5874898-01-01\""),
                ("12345-06-07", "12345-06-07"),
                ("2024-02-30", "22008 date/time field value out of range: \"2024-02-30\""),
                ("2024-13-01", "22008 date/time field value out of range: \"2024-13-01\""),
                ("0000-01-01", "22008 date/time field value out of range: \"0000-01-01\""),
                ("abc", "22007 invalid input syntax for type date: \"abc\""),
                ("", "22007 invalid input syntax for type date: \"\""),
                ("10:00", "22007 invalid input syntax for type date: \"10:00\""),
                ("2024-01", "22007 invalid input syntax for type date: \"2024-01\""),
            ],
        );
    }

    #[test]
    fn order_of_numbers() {
        let ctx = |date_order| Context { date_order, ..Context::default() };
        for (order, text, expected) in [
            (DateOrder::Dmy, "02/03/2024", "2024-03-02"),
            (DateOrder::Dmy, "2024-03-02", "2024-03-02"),
            (DateOrder::Dmy, "2-3-24", "2024-03-02"),
            (DateOrder::Dmy, "08-Jan-99", "1999-01-08"),
            (DateOrder::Ymd, "99-01-08", "1999-01-08"),
            (DateOrder::Ymd, "99-Jan-08", "1999-01-08"),
            (DateOrder::Mdy, "02/03/2024", "2024-02-03"),
        ] {
            assert_eq!(round_trip(PgType::DATE, text, &ctx(order)), expected, "{text}");
        }
    }

    #[test]
    fn timestamps() {
        check(
            PgType::TIMESTAMPTZ,
            &[
                ("2024-01-02 03:04:05", "2024-01-02 03:04:05-05"),
                ("2024-07-02T03:04:05Z", "2024-07-01 23:04:05-04"),
                ("2024-07-02 03:04:05.123456789+02", "2024-07-01 21:04:05.123457-04"),
                ("2024-07-02 03:04 Europe/Paris", "2024-07-01 21:04:00-04"),
                ("2024-07-02 03:04 PST", "2024-07-02 07:04:00-04"),
                ("Jul 2 2024 3:04 PM", "2024-07-02 15:04:00-04"),
                ("Tue Jul 02 15:04:05 2024 UTC", "2024-07-02 11:04:05-04"),
                ("20240702T150405Z", "2024-07-02 11:04:05-04"),
                ("2024-07-02 24:00:00", "2024-07-03 00:00:00-04"),
                ("2024-07-02 23:59:60", "2024-07-03 00:00:00-04"),
                ("epoch", "1969-12-31 19:00:00-05"),
                ("infinity", "infinity"),
                (
                    "2024-07-02 25:00",
                    "22008 date/time field value out of range: \"2024-07-02 25:00\"",
                ),
                ("2024-07-02 10:00 Mars/Base", "22023 time zone \"mars/base\" not recognized"),
                (
                    "2024-07-02 10:00+25",
                    "22009 time zone displacement out of range: \"2024-07-02 10:00+25\"",
                ),
            ],
        );
        check(
            PgType::TIMESTAMP,
            &[
                ("2024-07-02 03:04:05+02", "2024-07-02 03:04:05"),
                ("0001-01-01", "0001-01-01 00:00:00"),
                ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
                ("4713-01-01 00:00:00 BC", "4713-01-01 00:00:00 BC"),
                ("x", "22007 invalid input syntax for type timestamp: \"x\""),
            ],
        );
        check(
            PgType { oid: 1114, modifier: 0 },
            &[("2024-07-02 03:04:05.5", "2024-07-02 03:04:06")],
        );
    }

    #[test]
    fn times() {
        check(
            PgType::TIME,
            &[
                ("03:04", "03:04:00"),
                ("3:04:05.6 PM", "15:04:05.6"),
                (
                    "03:04 Europe/Paris",
                    "22007 invalid input syntax for type time: \"03:04 Europe/Paris\"",
                ),
                ("030405", "03:04:05"),
                ("24:00:00", "24:00:00"),
                ("2024-07-02 03:04:05", "03:04:05"),
                ("allballs", "00:00:00"),
                ("25:00", "22008 date/time field value out of range: \"25:00\""),
                ("x", "22007 invalid input syntax for type time: \"x\""),
            ],
        );
        check(
            PgType::TIMETZ,
            &[
                ("03:04:05+02", "03:04:05+02"),
                ("03:04:05.5 PST", "03:04:05.5-08"),
                ("2024-07-02 03:04 America/New_York", "03:04:00-04"),
            ],
        );
    }
}
