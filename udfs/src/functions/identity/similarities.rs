//! `jaro_winkler`, `jaccard`, `similarity` (manual, F.35), `date_similarity`, `number_similarity`:
//! from 0, nothing alike, to 1, equal.

use clientele_identity::text::compare;
use datafusion::arrow::datatypes::Date32Type;

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// Comparing costs the product of the lengths.
const CHARACTERS_MAX: usize = 10_000;

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("jaro(text, text) -> float8", "Jaro's similarity.", |row| {
            let (a, b) = pair(row)?;
            Ok(compare::jaro(a, b).into())
        }),
        function(
            "jaro_winkler(text, text) -> float8",
            "Jaro's similarity, raised for a common beginning.",
            |row| {
                let (a, b) = pair(row)?;
                Ok(compare::jaro_winkler(a, b).into())
            },
        ),
        function("jaccard(text, text) -> float8", "Share of common words.", |row| {
            Ok(compare::jaccard_words(row.text(0), row.text(1)).into())
        }),
        function(
            "jaccard(text, text, int4) -> float8",
            "Share of common runs of that many characters.",
            grams,
        ),
        function("similarity(text, text) -> float4", "Share of common trigrams.", |row| {
            let similarity = compare::trigram_similarity(row.text(0), row.text(1));
            Ok(f64::from(similarity).into())
        }),
        function(
            "date_similarity(date, date) -> float8",
            "Likeness of dates: day and month swapped, a digit off, years apart.",
            |row| Ok(dates(row).into()),
        ),
        function(
            "number_similarity(float8, float8) -> float8",
            "One minus the difference in proportion to the larger magnitude.",
            |row| Ok(compare::number_similarity(row.float(0), row.float(1)).into()),
        ),
    ]
}

fn pair<'a>(row: &Row<'a>) -> Result<(&'a str, &'a str)> {
    let pair = (row.text(0), row.text(1));
    if pair.0.len().max(pair.1.len()) > CHARACTERS_MAX {
        return Err(ValueError::new(
            "22023",
            format!("argument exceeds the maximum length of {CHARACTERS_MAX} bytes"),
        ));
    }
    Ok(pair)
}

fn grams(row: &Row<'_>) -> Result<Value> {
    let (a, b) = pair(row)?;
    match usize::try_from(row.int(2)) {
        Ok(length @ 1..) => Ok(compare::jaccard_grams(a, b, length).into()),
        _ => Err(ValueError::new("22023", "length of q-grams must be greater than zero")),
    }
}

fn dates(row: &Row<'_>) -> Option<f64> {
    let day = |argument| Date32Type::to_naive_date_opt(row.date(argument));
    Some(compare::date_similarity(day(0)?, day(1)?))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, check_errors};

    #[test]
    fn similarities() {
        check(&[
            ("jaro('dixon', 'dicksonx')", "0.7666666666666666"),
            ("jaro_winkler('martha', 'marhta')", "0.9611111111111111"),
            ("jaro_winkler('', '')", "1"),
            ("jaro_winkler('a', NULL)", "NULL"),
            ("jaccard('12 Main St.', 'main st 14')", "0.5"),
            ("jaccard('night', 'nacht', 1)", "0.42857142857142855"),
            ("date_similarity(date '1980-03-05', date '1980-05-03')", "0.95"),
            ("date_similarity(date '1980-03-05', date 'infinity')", "NULL"),
            ("number_similarity(100, 95)", "0.95"),
        ]);
        check_errors(&[(
            "jaccard('a', 'b', 0)",
            "22023",
            "length of q-grams must be greater than zero",
        )]);
    }
}
