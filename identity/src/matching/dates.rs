//! Dates as they are written in files of customers.

/// A calendar date as written: it need not exist (`1862-09-54` is a typing error worth keeping).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) year: u32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

/// Whether `03/04/1990` is the third of April or the fourth of March.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// Day first: most of the world.
    #[default]
    DayMonth,
    /// Month first: the United States.
    MonthDay,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Written {
    /// The eight digits `YYYYMMDD`.
    pub(crate) fn digits(self) -> [u8; 8] {
        let number = self.year % 10_000 * 10_000 + self.month % 100 * 100 + self.day % 100;
        let mut digits = [b'0'; 8];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }
}

/// Numbers and month names in the order in which they are written, and their count of digits.
fn parts(value: &str) -> Vec<(u32, usize)> {
    let mut parts = Vec::with_capacity(3);
    let bytes = value.as_bytes();
    let mut place = 0;
    while place < bytes.len() && parts.len() < 3 {
        let start = place;
        if bytes[place].is_ascii_digit() {
            while place < bytes.len() && bytes[place].is_ascii_digit() {
                place += 1;
            }
            if let Ok(number) = value[start..place].parse() {
                parts.push((number, place - start));
            }
        } else if bytes[place].is_ascii_alphabetic() {
            while place < bytes.len() && bytes[place].is_ascii_alphabetic() {
                place += 1;
            }
            let word = value[start..place].to_ascii_lowercase();
            let month = MONTHS.iter().position(|m| word.starts_with(m));
            parts.extend(month.map(|month| (month as u32 + 1, 0)));
        } else {
            place += 1;
        }
    }
    parts
}

/// Two-digit years up to 29 are of this century: nobody's birth date is in the future for long.
fn full_year(year: u32, digits: usize) -> u32 {
    match digits {
        1 | 2 if year < 30 => 2000 + year,
        1 | 2 => 1900 + year,
        _ => year,
    }
}

/// Reads a date in ISO form, as eight digits, with slashes, dots or month names.
pub(crate) fn parse(value: &str, order: DateOrder) -> Option<Written> {
    let parts = parts(value);
    match parts[..] {
        [(number, 8)] => {
            Some(Written { year: number / 10_000, month: number / 100 % 100, day: number % 100 })
        }
        [(year, 4)] => Some(Written { year, month: 0, day: 0 }),
        [(year, 4), (month, _)] => Some(Written { year, month, day: 0 }),
        [(month, _), (year, 4)] => Some(Written { year, month, day: 0 }),
        [(year, 4), (month, _), (day, _)] => Some(Written { year, month, day }),
        [(day, 1..), (month, 0), (year, digits)] | [(month, 0), (day, _), (year, digits)] => {
            Some(Written { year: full_year(year, digits), month, day })
        }
        [(first, _), (second, _), (year, digits)] => {
            let month_first = second > 12 || (order == DateOrder::MonthDay && first <= 12);
            let (month, day) = if month_first { (first, second) } else { (second, first) };
            Some(Written { year: full_year(year, digits), month, day })
        }
        _ => None,
    }
}

/// The order that a column of dates uses: month first when only that explains its values.
pub(crate) fn order_of<'a>(values: impl Iterator<Item = &'a str>) -> DateOrder {
    let (mut day_first, mut month_first) = (0usize, 0usize);
    for value in values {
        if let [(first, 1 | 2), (second, 1 | 2), _] = parts(value)[..] {
            day_first += usize::from(first > 12 && second <= 12);
            month_first += usize::from(second > 12 && first <= 12);
        }
    }
    if month_first > day_first { DateOrder::MonthDay } else { DateOrder::DayMonth }
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, Written, order_of, parse};

    #[test]
    fn dates_are_read_as_written() {
        let date = |year, month, day| Some(Written { year, month, day });
        let cases = [
            ("1971-06-24", date(1971, 6, 24)),
            ("19560409", date(1956, 4, 9)),
            ("24.06.1971", date(1971, 6, 24)),
            ("1/7/80", date(1980, 7, 1)),
            ("Mar 1 1970", date(1970, 3, 1)),
            ("1 March 1970", date(1970, 3, 1)),
            ("1862-09-54", date(1862, 9, 54)),
            ("1862", date(1862, 0, 0)),
            ("12/25/1999", date(1999, 12, 25)),
            ("unknown", None),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(value, DateOrder::DayMonth), expected, "{value}");
        }
        assert_eq!(parse("3/4/1990", DateOrder::MonthDay), date(1990, 3, 4));
    }

    #[test]
    fn the_order_of_a_column_follows_its_values() {
        assert_eq!(order_of(["12/11/1978", "9/28/97"].into_iter()), DateOrder::MonthDay);
        assert_eq!(order_of(["12/11/1978", "28/9/97"].into_iter()), DateOrder::DayMonth);
        assert_eq!(order_of(["1978-12-30"].into_iter()), DateOrder::DayMonth);
    }
}
