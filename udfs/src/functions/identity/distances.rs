//! `levenshtein`, `levenshtein_less_equal` (manual, F.17.2), `damerau`: numbers of edits.

use clientele_identity::text::compare::{self, Costs};

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// What fuzzystrmatch allows.
const CHARACTERS_MAX: usize = 255;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function(
            "levenshtein(text, text) -> int4; levenshtein(text, text, int4, int4, int4) -> int4",
            "Edits between two texts; costs of an insertion, a deletion, a substitution.",
            |row| Ok(levenshtein(row)?.into()),
        ),
        function(
            "levenshtein_less_equal(text, text, int4) -> int4",
            "Edits between two texts, exact up to a maximum; above it, one more.",
            less_equal,
        ),
        function(
            "levenshtein_less_equal(text, text, int4, int4, int4, int4) -> int4",
            "Cost of the edits between two texts, exact up to a maximum.",
            |row| {
                let distance = levenshtein(row)?;
                Ok(if one_is_empty(row) { distance } else { capped(distance, row.int(5)) }.into())
            },
        ),
        function(
            "damerau(text, text) -> int4",
            "Edits between two texts, two neighbouring characters swapped being one.",
            |row| {
                check(row)?;
                count(compare::damerau(row.text(0), row.text(1)))
            },
        ),
    ]
}

fn check(row: &Row<'_>) -> Result<()> {
    let long = |text: &str| text.len() > CHARACTERS_MAX && text.chars().count() > CHARACTERS_MAX;
    if long(row.text(0)) || long(row.text(1)) {
        return Err(ValueError::new(
            "22023",
            format!("levenshtein argument exceeds maximum length of {CHARACTERS_MAX} characters"),
        ));
    }
    Ok(())
}

fn levenshtein(row: &Row<'_>) -> Result<i64> {
    check(row)?;
    if row.len() < 5 {
        let distance = compare::levenshtein(row.text(0), row.text(1));
        return Ok(i64::try_from(distance).unwrap_or(i64::MAX));
    }
    let costs = Costs { insert: row.int(2), delete: row.int(3), substitute: row.int(4) };
    Ok(compare::levenshtein_weighted(row.text(0), row.text(1), &costs))
}

/// A negative maximum is none, and PostgreSQL asks for none where a text is empty.
fn less_equal(row: &Row<'_>) -> Result<Value> {
    check(row)?;
    let max = usize::try_from(row.int(2)).ok().filter(|_| !one_is_empty(row));
    let Some(max) = max else {
        return count(compare::levenshtein(row.text(0), row.text(1)));
    };
    let within = compare::levenshtein_within(row.text(0), row.text(1), max);
    count(within.unwrap_or(max.saturating_add(1)))
}

fn one_is_empty(row: &Row<'_>) -> bool {
    row.text(0).is_empty() || row.text(1).is_empty()
}

/// What is above the maximum is one above it.
fn capped(distance: i64, max: i64) -> i64 {
    if max < 0 { distance } else { distance.min(max.saturating_add(1)) }
}

fn count(edits: usize) -> Result<Value> {
    let edits = i64::try_from(edits).map_err(|_| ValueError::out_of_range("integer"))?;
    Ok(edits.into())
}
