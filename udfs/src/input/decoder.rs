//! [`Decoder`] collects what the fields of a date say (src/backend/utils/adt/datetime.c,
//! `DecodeDateTime`).

use super::datetime::{Clock, Moment, Refusal};
use super::tokens::Kind;
use super::words::{self, Word};
use super::zone::{self, Zone};
use super::{Context, DateOrder, timestamp};
use crate::calendar::{self, DAY_MICROS};

type Decoded<T = ()> = Result<T, Refusal>;

/// The parts of a date that were found so far.
#[derive(Debug)]
pub(crate) struct Decoder<'c> {
    ctx: &'c Context,
    /// A bare number is a time, not a date.
    time_only: bool,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    /// Microseconds of the day, up to 24 hours.
    time: Option<i64>,
    zone: Option<Zone>,
    /// Days since 1970, from a Julian day or a word.
    whole_date: Option<i64>,
    moment: Option<Moment>,
    weekday: bool,
    month_is_text: bool,
    year_has_two_digits: bool,
    before_christ: bool,
    /// Hours to add to a time of the morning.
    half_day: Option<Word>,
}

impl<'c> Decoder<'c> {
    pub(crate) fn new(ctx: &'c Context, time_only: bool) -> Self {
        Self {
            ctx,
            time_only,
            year: None,
            month: None,
            day: None,
            day_of_year: None,
            time: None,
            zone: None,
            whole_date: None,
            moment: None,
            weekday: false,
            month_is_text: false,
            year_has_two_digits: false,
            before_christ: false,
            half_day: None,
        }
    }

    /// Reads all fields in order.
    pub(crate) fn read(&mut self, fields: &[(Kind, String)]) -> Decoded {
        if fields.is_empty() {
            return Err(Refusal::Syntax);
        }
        let mut prefix = None;
        for (position, (kind, field)) in fields.iter().enumerate() {
            match (prefix.take(), kind) {
                (Some(Word::Julian), Kind::Number) => self.julian(field)?,
                (Some(Word::IsoTime), Kind::Number) => self.packed_time(field)?,
                (Some(Word::Julian), _) => return Err(Refusal::Syntax),
                (_, Kind::Number) => self.number(field)?,
                (_, Kind::Date) => self.date_or_zone(field)?,
                (_, Kind::Time) => self.set_time(clock(field)?)?,
                (_, Kind::Signed) => self.offset(field)?,
                (_, Kind::Special) => self.special(field)?,
                (_, Kind::Word) => prefix = self.word(field, fields.get(position + 1))?,
            }
        }
        if prefix.is_some() { Err(Refusal::Syntax) } else { Ok(()) }
    }

    fn has_date(&self) -> bool {
        self.whole_date.is_some()
            || self.year.is_some()
                && (self.day_of_year.is_some() || self.month.is_some() && self.day.is_some())
    }

    fn number(&mut self, field: &str) -> Decoded {
        let whole = field.find('.').unwrap_or(field.len());
        let has_point = whole < field.len();
        let nothing_yet = self.year.is_none() && self.month.is_none() && self.day.is_none();
        if self.time_only && self.time.is_none() && !self.has_date() {
            return self.packed_time(field);
        }
        if has_point && nothing_yet && self.whole_date.is_none() {
            return self.date(field);
        }
        if has_point && whole > 2 || self.has_date() && self.time.is_none() {
            return self.packed_time(field);
        }
        if !has_point && field.len() >= 6 && (nothing_yet || self.time.is_none()) {
            return self.packed_date(field);
        }
        self.date_number(field)
    }

    /// `20240102`, `240102`.
    fn packed_date(&mut self, field: &str) -> Decoded {
        let (rest, day) = field.split_at_checked(field.len() - 2).ok_or(Refusal::Syntax)?;
        let (year, month) = rest.split_at_checked(rest.len() - 2).ok_or(Refusal::Syntax)?;
        self.year_has_two_digits = year.len() <= 2;
        once(&mut self.year, whole(year)?)?;
        once(&mut self.month, whole(month)?)?;
        once(&mut self.day, whole(day)?)
    }

    /// `030405`, `0304`, `030405.678`.
    fn packed_time(&mut self, field: &str) -> Decoded {
        let (digits, fraction) = match field.find('.') {
            Some(at) => field.split_at_checked(at).ok_or(Refusal::Syntax)?,
            None => (field, ""),
        };
        let part = |range| digits.get(range).map_or(Err(Refusal::Syntax), whole);
        let (hour, minute, second) = match digits.len() {
            6 => (part(0..2)?, part(2..4)?, part(4..6)?),
            4 if fraction.is_empty() => (part(0..2)?, part(2..4)?, 0),
            _ => return Err(Refusal::Syntax),
        };
        self.set_time(day_micros(hour, minute, second, micros(fraction)?)?)
    }

    fn set_time(&mut self, micros: i64) -> Decoded {
        once(&mut self.time, micros)
    }

    /// One number of a date, whose place tells what it is (`DecodeNumber`).
    fn date_number(&mut self, field: &str) -> Decoded {
        let value = whole(field)?;
        let long = field.len() >= 3;
        let order = self.ctx.date_order;
        let (year, month, day) = (self.year.is_some(), self.month.is_some(), self.day.is_some());
        if field.len() == 3 && year && !month && !day && (1..=366).contains(&value) {
            return once(&mut self.day_of_year, value);
        }
        match (year, month, day) {
            (false, false, false) if !long && order == DateOrder::Dmy => self.day = Some(value),
            (false, false, false) if !long && order == DateOrder::Mdy => self.month = Some(value),
            (true, false, false) | (false, false, true) => self.month = Some(value),
            (false, true, false) if !(self.month_is_text && (long || order == DateOrder::Ymd)) => {
                self.day = Some(value);
            }
            // A year of two digits came first, and was the day: 08-Jan-1999 read from the left.
            (true, true, false) if self.month_is_text && long && self.year_has_two_digits => {
                self.day = self.year;
                self.set_year(field, value);
            }
            (true, true, false) => self.day = Some(value),
            (false, ..) => self.set_year(field, value),
            _ => return Err(Refusal::Syntax),
        }
        Ok(())
    }

    fn set_year(&mut self, field: &str, value: i64) {
        self.year = Some(value);
        self.year_has_two_digits = field.len() <= 2;
    }

    fn date_or_zone(&mut self, field: &str) -> Decoded {
        let starts_with_letter = field.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_zone = self.has_date() || self.time_only && zone::find(field).is_some();
        if !is_zone {
            return self.date(field);
        }
        if starts_with_letter {
            let found = zone::find(field).ok_or_else(|| Refusal::UnknownZone(field.to_owned()))?;
            return once(&mut self.zone, found);
        }
        // A time with its zone, unseparated: 040506-08.
        let at = field.find('-').ok_or(Refusal::Syntax)?;
        let (time, offset) = field.split_at_checked(at).ok_or(Refusal::Syntax)?;
        self.packed_time(time)?;
        self.offset(offset)
    }

    /// A date whose parts are joined by delimiters. PostgreSQL takes no weekday before it.
    fn date(&mut self, field: &str) -> Decoded {
        if self.weekday {
            return Err(Refusal::Syntax);
        }
        let parts = || field.split(['-', '/', '.']).filter(|part| !part.is_empty());
        let is_text = |part: &&str| part.starts_with(|first: char| first.is_ascii_alphabetic());
        for part in parts().filter(is_text) {
            match words::meaning(part) {
                Some(Word::Month(month)) => self.text_month(month)?,
                _ => return Err(Refusal::Syntax),
            }
        }
        for part in parts().filter(|part| !is_text(part)) {
            self.date_number(part)?;
        }
        if self.has_date() { Ok(()) } else { Err(Refusal::Syntax) }
    }

    fn text_month(&mut self, month: u32) -> Decoded {
        match self.month {
            Some(_) if self.month_is_text => return Err(Refusal::Syntax),
            // 8 January: the number was the day.
            Some(number) if self.day.is_none() => self.day = Some(number),
            Some(_) => return Err(Refusal::Syntax),
            None => {}
        }
        self.month = Some(i64::from(month));
        self.month_is_text = true;
        Ok(())
    }

    fn offset(&mut self, field: &str) -> Decoded {
        let offset = zone::offset(field).ok_or(Refusal::Syntax)?.ok_or(Refusal::ZoneOutOfRange)?;
        once(&mut self.zone, Zone::Fixed(offset))
    }

    fn special(&mut self, field: &str) -> Decoded {
        let moment = match field {
            "-infinity" => Moment::NegativeInfinity,
            _ => return Err(Refusal::Syntax),
        };
        once(&mut self.moment, moment)
    }

    /// Reads a word; returns it when it announces the number that follows.
    fn word(&mut self, field: &str, next: Option<&(Kind, String)>) -> Decoded<Option<Word>> {
        match words::meaning(field) {
            Some(Word::Month(month)) => self.text_month(month)?,
            Some(Word::Ignored | Word::Ad) => {}
            Some(Word::Weekday) => self.weekday = true,
            Some(half @ (Word::Am | Word::Pm)) => once(&mut self.half_day, half)?,
            Some(Word::Bc) => self.before_christ = true,
            Some(Word::Now) => once(&mut self.moment, Moment::Now)?,
            Some(Word::Epoch) => once(&mut self.moment, Moment::Epoch)?,
            Some(Word::Infinity) => once(&mut self.moment, Moment::Infinity)?,
            Some(Word::Today) => self.relative_day(0)?,
            Some(Word::Yesterday) => self.relative_day(-1)?,
            Some(Word::Tomorrow) => self.relative_day(1)?,
            Some(Word::AllBalls) => {
                self.set_time(0)?;
                once(&mut self.zone, Zone::Fixed(0))?;
            }
            Some(Word::Julian) => return Ok(Some(Word::Julian)),
            Some(Word::IsoTime) => {
                let is_time = matches!(next, Some((Kind::Number | Kind::Time | Kind::Date, _)));
                if !(is_time && (self.has_date() || self.time_only)) {
                    return Err(Refusal::Syntax);
                }
                // Only a number needs to be told that it is a time.
                let is_number = matches!(next, Some((Kind::Number, _)));
                return Ok(is_number.then_some(Word::IsoTime));
            }
            Some(Word::Unit) => return Err(Refusal::Syntax),
            None => once(&mut self.zone, zone::find(field).ok_or(Refusal::Syntax)?)?,
        }
        Ok(None)
    }

    fn relative_day(&mut self, days: i64) -> Decoded {
        let local = timestamp::local(self.ctx.now.timestamp_micros(), self.ctx.time_zone);
        once(&mut self.whole_date, local.div_euclid(DAY_MICROS) + days)?;
        self.time.get_or_insert(0);
        Ok(())
    }

    fn julian(&mut self, field: &str) -> Decoded {
        let days = whole(field)?;
        once(&mut self.whole_date, days + calendar::DAYS_MIN)
    }

    /// Year, month and day that exist (`ValidateDate`).
    fn days(&self) -> Decoded<i64> {
        if let Some(days) = self.whole_date {
            return Ok(days);
        }
        let month = self.month.map(|month| in_range(month, 12)).transpose()?;
        let day = self.day.map(|day| in_range(day, 31)).transpose()?;
        let year = self.stated_year()?;
        if let Some(day) = self.day_of_year {
            return Ok(calendar::days(year, 1, 1) + day - 1);
        }
        let (Some(month), Some(day)) = (month, day) else { return Err(Refusal::Syntax) };
        if day > calendar::days_in_month(year, month) {
            return Err(Refusal::OutOfRange);
        }
        Ok(calendar::days(year, month, day))
    }

    /// The year, astronomical: 0 is 1 BC.
    fn stated_year(&self) -> Decoded<i64> {
        Ok(match self.year.ok_or(Refusal::Syntax)? {
            year if self.before_christ && year > 0 => 1 - year,
            year if self.year_has_two_digits && year < 70 && !self.before_christ => year + 2_000,
            year if self.year_has_two_digits && year < 100 && !self.before_christ => year + 1_900,
            year if year > 0 && !self.before_christ => year,
            _ => return Err(Refusal::OutOfRange),
        })
    }

    fn micros(&self) -> Decoded<i64> {
        const HALF: i64 = DAY_MICROS / 2;
        const HOUR: i64 = 3_600_000_000;
        let micros = self.time.unwrap_or(0);
        match self.half_day {
            Some(_) if micros >= HALF + HOUR => Err(Refusal::OutOfRange),
            Some(Word::Am) if micros >= HALF => Ok(micros - HALF),
            Some(Word::Pm) if micros < HALF => Ok(micros + HALF),
            _ => Ok(micros),
        }
    }

    /// The date and time that were read.
    pub(crate) fn moment(&self) -> Decoded<Moment> {
        let has_parts =
            self.has_date() || self.time.is_some() || self.month.is_some() || self.year.is_some();
        match self.moment {
            Some(_) if has_parts => Err(Refusal::Syntax),
            Some(moment) => Ok(moment),
            None => {
                let days = self.days()?;
                Ok(Moment::Local { days, micros: self.micros()?, zone: self.zone })
            }
        }
    }

    /// The time that was read.
    pub(crate) fn clock(&self) -> Decoded<Clock> {
        if self.moment == Some(Moment::Now) {
            let local = timestamp::local(self.ctx.now.timestamp_micros(), self.ctx.time_zone);
            return Ok(Clock { micros: local.rem_euclid(DAY_MICROS), zone: None, days: None });
        }
        if self.time.is_none() || self.moment.is_some() {
            return Err(Refusal::Syntax);
        }
        let days = self.has_date().then(|| self.days()).transpose()?;
        // A zone whose clock changes says nothing without a date.
        if days.is_none() && matches!(self.zone, Some(Zone::Named(_))) {
            return Err(Refusal::Syntax);
        }
        Ok(Clock { micros: self.micros()?, zone: self.zone, days })
    }
}

fn in_range(value: i64, most: u32) -> Decoded<u32> {
    let value = u32::try_from(value).ok().filter(|value| (1..=most).contains(value));
    value.ok_or(Refusal::MonthOrDay)
}

/// Sets what may be said once only.
fn once<T>(place: &mut Option<T>, value: T) -> Decoded {
    match place.replace(value) {
        Some(_) => Err(Refusal::Syntax),
        None => Ok(()),
    }
}

fn whole(digits: &str) -> Decoded<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Syntax);
    }
    digits.parse::<i32>().map(i64::from).map_err(|_| Refusal::OutOfRange)
}

/// `.5` → 500000, rounded to a microsecond as PostgreSQL's `rint` does; nothing → 0.
pub(crate) fn micros(fraction: &str) -> Decoded<i64> {
    if fraction.is_empty() || fraction == "." {
        return Ok(0);
    }
    if !fraction.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Syntax);
    }
    let seconds: f64 = fraction.parse().map_err(|_| Refusal::Syntax)?;
    Ok((seconds * 1e6).round_ties_even() as i64)
}

/// `3:04`, `03:04:05.678` → microseconds of the day (`DecodeTime`).
pub(crate) fn clock(field: &str) -> Decoded<i64> {
    let (field, fraction) = match field.find('.') {
        Some(at) => field.split_at_checked(at).ok_or(Refusal::Syntax)?,
        None => (field, ""),
    };
    let mut parts = field.split(':').map(whole);
    let mut next = || parts.next().transpose();
    let (hour, minute, second) = (next()?, next()?, next()?);
    if next()?.is_some() {
        return Err(Refusal::Syntax);
    }
    let hour = hour.ok_or(Refusal::Syntax)?;
    day_micros(hour, minute.ok_or(Refusal::Syntax)?, second.unwrap_or(0), micros(fraction)?)
}

fn day_micros(hour: i64, minute: i64, second: i64, micros: i64) -> Decoded<i64> {
    let total = (hour * 3_600 + minute * 60 + second) * 1_000_000 + micros;
    match hour <= 24 && minute < 60 && second <= 60 && total <= DAY_MICROS + 1_000_000 {
        true if hour == 24 && total > DAY_MICROS => Err(Refusal::OutOfRange),
        true => Ok(total),
        false => Err(Refusal::OutOfRange),
    }
}
