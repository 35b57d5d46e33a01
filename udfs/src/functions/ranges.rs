//! Functions and operators of ranges (manual, 9.20).

use chrono_tz::Tz;

use super::argument::Row;
use super::function::{Function, function};
use super::value::Value;
use crate::input::Context;
use crate::numeric::Number;
use crate::range::{self, Cut, Kind, Range};
use crate::types::PgType;
use crate::{Result, ValueError};

/// Signatures of a function of one range, or of two of one kind, with one result.
macro_rules! one {
    ($name:literal, $result:literal) => {
        concat!(
            $name,
            "(int4range) -> ",
            $result,
            "; ",
            $name,
            "(int8range) -> ",
            $result,
            "; ",
            $name,
            "(numrange) -> ",
            $result,
            "; ",
            $name,
            "(tsrange) -> ",
            $result,
            "; ",
            $name,
            "(tstzrange) -> ",
            $result,
            "; ",
            $name,
            "(daterange) -> ",
            $result
        )
    };
}
macro_rules! two {
    ($name:literal, $result:literal) => {
        concat!(
            $name,
            "(int4range, int4range) -> ",
            $result,
            "; ",
            $name,
            "(int8range, int8range) -> ",
            $result,
            "; ",
            $name,
            "(numrange, numrange) -> ",
            $result,
            "; ",
            $name,
            "(tsrange, tsrange) -> ",
            $result,
            "; ",
            $name,
            "(tstzrange, tstzrange) -> ",
            $result,
            "; ",
            $name,
            "(daterange, daterange) -> ",
            $result
        )
    };
}
/// The same with the kind itself as the result.
macro_rules! own {
    ($name:literal) => {
        concat!(
            $name,
            "(int4range, int4range) -> int4range; ",
            $name,
            "(int8range, int8range) -> int8range; ",
            $name,
            "(numrange, numrange) -> numrange; ",
            $name,
            "(tsrange, tsrange) -> tsrange; ",
            $name,
            "(tstzrange, tstzrange) -> tstzrange; ",
            $name,
            "(daterange, daterange) -> daterange"
        )
    };
}
/// A bound of each kind.
macro_rules! end {
    ($name:literal) => {
        concat!(
            $name,
            "(int4range) -> int4; ",
            $name,
            "(int8range) -> int8; ",
            $name,
            "(numrange) -> numeric; ",
            $name,
            "(tsrange) -> timestamp; ",
            $name,
            "(tstzrange) -> timestamptz; ",
            $name,
            "(daterange) -> date"
        )
    };
}
macro_rules! make {
    ($range:literal, $element:literal) => {
        function(
            concat!(
                $range,
                "(",
                $element,
                ", ",
                $element,
                ") -> ",
                $range,
                "; ",
                $range,
                "(",
                $element,
                ", ",
                $element,
                ", text) -> ",
                $range
            ),
            "A range between two bounds.",
            |row| make(row, PgType::by_name($range).unwrap_or(PgType::TEXT)),
        )
        .nulls()
    };
}

/// Where a range begins and ends.
type Ends = (Cut, Cut);

/// All of them.
pub fn functions() -> Vec<Function> {
    [makers(), ends(), tests(), elements(), sets()].concat()
}

fn makers() -> Vec<Function> {
    vec![
        make!("int4range", "int4"),
        make!("int8range", "int8"),
        make!("numrange", "numeric"),
        make!("tsrange", "timestamp"),
        make!("tstzrange", "timestamptz"),
        make!("daterange", "date"),
    ]
}

fn ends() -> Vec<Function> {
    vec![
        function(end!("range lower"), "The lower bound.", |row| {
            let (kind, range) = given(row, 0)?;
            Ok(range.map_or(Value::Null, |(low, _)| value(kind, low)))
        }),
        function(end!("range upper"), "The upper bound.", |row| {
            let (kind, range) = given(row, 0)?;
            Ok(range.map_or(Value::Null, |(_, high)| value(kind, high)))
        }),
        function(one!("isempty", "bool"), "Whether the range is empty.", |row| {
            Ok(given(row, 0)?.1.is_none().into())
        }),
        function(
            one!("lower_inc", "bool"),
            "Whether the lower bound belongs to the range.",
            |row| Ok(matches!(given(row, 0)?.1, Some((Cut::At(_, false), _))).into()),
        ),
        function(
            one!("upper_inc", "bool"),
            "Whether the upper bound belongs to the range.",
            |row| Ok(matches!(given(row, 0)?.1, Some((_, Cut::At(_, true)))).into()),
        ),
        function(one!("lower_inf", "bool"), "Whether the range has no lower bound.", |row| {
            Ok(matches!(given(row, 0)?.1, Some((Cut::Low, _))).into())
        }),
        function(one!("upper_inf", "bool"), "Whether the range has no upper bound.", |row| {
            Ok(matches!(given(row, 0)?.1, Some((_, Cut::High))).into())
        }),
        function(one!("range order", "text"), "What ranges are compared by.", |row| {
            Ok(range::sort_key(&given(row, 0)?.1).into())
        }),
    ]
}

fn tests() -> Vec<Function> {
    vec![
        function(two!("range_contains", "bool"), "Whether a range contains another.", |row| {
            Ok(contains(&given(row, 0)?.1, &given(row, 1)?.1).into())
        })
        .operator("@>"),
        function(two!("range_contained_by", "bool"), "Whether a range is within another.", |row| {
            Ok(contains(&given(row, 1)?.1, &given(row, 0)?.1).into())
        })
        .operator("<@"),
        function(
            two!("range_overlaps", "bool"),
            "Whether ranges have something in common.",
            |row| Ok(both(row)?.is_some_and(|(a, b)| a.0 < b.1 && b.0 < a.1).into()),
        )
        .operator("&&"),
        function(two!("range_before", "bool"), "Whether a range ends before another.", |row| {
            Ok(both(row)?.is_some_and(|(a, b)| a.1 <= b.0).into())
        })
        .operator("<<"),
        function(two!("range_after", "bool"), "Whether a range begins behind another.", |row| {
            Ok(both(row)?.is_some_and(|(a, b)| b.1 <= a.0).into())
        })
        .operator(">>"),
        function(
            two!("range_overleft", "bool"),
            "Whether a range ends with another at last.",
            |row| Ok(both(row)?.is_some_and(|(a, b)| a.1 <= b.1).into()),
        )
        .operator("&<"),
        function(
            two!("range_overright", "bool"),
            "Whether a range begins with another at first.",
            |row| Ok(both(row)?.is_some_and(|(a, b)| a.0 >= b.0).into()),
        )
        .operator("&>"),
        function(
            two!("range_adjacent", "bool"),
            "Whether a range ends where another begins.",
            |row| Ok(both(row)?.is_some_and(|(a, b)| a.1 == b.0 || b.1 == a.0).into()),
        )
        .operator("-|-"),
    ]
}

fn elements() -> Vec<Function> {
    vec![
        function(
            "range_contains_elem(int4range, int4) -> bool; range_contains_elem(int8range, int8) -> bool; range_contains_elem(numrange, numeric) -> bool; range_contains_elem(tsrange, timestamp) -> bool; range_contains_elem(tstzrange, timestamptz) -> bool; range_contains_elem(daterange, date) -> bool",
            "Whether a range contains a value.",
            |row| has(row, 0, 1),
        )
        .operator("@>"),
        function(
            "elem_contained_by_range(int4, int4range) -> bool; elem_contained_by_range(int8, int8range) -> bool; elem_contained_by_range(numeric, numrange) -> bool; elem_contained_by_range(timestamp, tsrange) -> bool; elem_contained_by_range(timestamptz, tstzrange) -> bool; elem_contained_by_range(date, daterange) -> bool",
            "Whether a value is within a range.",
            |row| has(row, 1, 0),
        )
        .operator("<@"),
    ]
}

fn sets() -> Vec<Function> {
    vec![
        function(own!("range_union"), "Two ranges in one.", |row| {
            let ((kind, one), (_, other)) = (given(row, 0)?, given(row, 1)?);
            Ok(kind.to_kept(&range::union(&one, &other)?).into())
        })
        .operator("+"),
        function(own!("range_intersect"), "What two ranges have in common.", |row| {
            let ((kind, one), (_, other)) = (given(row, 0)?, given(row, 1)?);
            Ok(kind.to_kept(&range::intersection(&one, &other)).into())
        })
        .operator("*"),
        function(own!("range_minus"), "A range without another.", |row| {
            let ((kind, one), (_, other)) = (given(row, 0)?, given(row, 1)?);
            Ok(kind.to_kept(&range::difference(&one, &other)?).into())
        })
        .operator("-"),
        function(own!("range_merge"), "The smallest range around both.", |row| {
            let ((kind, one), (_, other)) = (given(row, 0)?, given(row, 1)?);
            let around = |(low, high): Ends, (from, to): Ends| {
                (std::cmp::min(low, from), std::cmp::max(high, to))
            };
            let merged = match (one, other) {
                (Some(one), Some(other)) => Some(around(one, other)),
                (one, other) => one.or(other),
            };
            Ok(kind.to_kept(&merged).into())
        }),
    ]
}

fn given(row: &Row<'_>, argument: usize) -> Result<(Kind, Range)> {
    let mut kinds = (0..row.len()).filter_map(|argument| Kind::of(row.pg_type(argument)));
    let kind = kinds.next().ok_or_else(|| ValueError::new("42804", "a range expected"))?;
    Ok((kind, kind.kept(row.text(argument))?))
}

/// The cuts of both; `None` where one is empty.
fn both(row: &Row<'_>) -> Result<Option<(Ends, Ends)>> {
    Ok(given(row, 0)?.1.zip(given(row, 1)?.1))
}

fn contains(outer: &Range, inner: &Range) -> bool {
    match (outer, inner) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((low, high)), Some((from, to))) => low <= from && to <= high,
    }
}

fn has(row: &Row<'_>, range: usize, element: usize) -> Result<Value> {
    let (kind, range) = given(row, range)?;
    let point = bound(row, element, kind)?
        .map(|point| Some((Cut::At(point.clone(), false), Cut::At(point, true))));
    Ok(point.is_some_and(|point| contains(&range, &point)).into())
}

/// An argument as a bound; `None`: NULL.
fn bound(row: &Row<'_>, argument: usize, kind: Kind) -> Result<Option<Number>> {
    let time_zone = row.zone_name().parse().unwrap_or(Tz::UTC);
    let ctx = Context { time_zone, ..Context::default() };
    row.shown(argument)?.map(|text| kind.point(&text, &ctx)).transpose()
}

fn value(kind: Kind, cut: Cut) -> Value {
    let Cut::At(number, _) = cut else { return Value::Null };
    match kind.element {
        PgType::NUMERIC => Value::Number(number),
        PgType::DATE => Value::Date(kind.integer(&number) as i32),
        PgType::TIMESTAMP | PgType::TIMESTAMPTZ => Value::Micros(kind.integer(&number)),
        _ => Value::Int(kind.integer(&number)),
    }
}

fn make(row: &Row<'_>, pg_type: PgType) -> Result<Value> {
    let kind =
        Kind::of(pg_type).ok_or_else(|| ValueError::new("42804", "a type of ranges expected"))?;
    let (with_lower, with_upper) = match row.len() {
        0..=2 => (true, false),
        _ if row.is_null(2) => {
            let text = "range constructor flags argument must not be null";
            return Err(ValueError::new("22000", text));
        }
        _ => match row.text(2) {
            "[)" => (true, false),
            "[]" => (true, true),
            "()" => (false, false),
            "(]" => (false, true),
            _ => {
                return Err(ValueError::new("42601", "invalid range bound flags")
                    .with_hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
            }
        },
    };
    let (lower, upper) = (bound(row, 0, kind)?, bound(row, 1, kind)?);
    Ok(kind.to_kept(&kind.made((lower, with_lower), (upper, with_upper))?).into())
}

#[cfg(test)]
mod unit_tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn ranges() {
        check(&[("int4range(1, 5)", "[1,5)"), ("int4range(1, 5, '[]')", "[1,6)")]);
        check_errors(&[(
            "int4range(5, 1)",
            "22000",
            "range lower bound must be less than or equal to range upper bound",
        )]);
    }
}
