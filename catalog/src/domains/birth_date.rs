//! `birth_date`: the day a living person was born: from 1880 to today.

use std::time::{SystemTime, UNIX_EPOCH};

use clientele_udfs::types::PgType;
use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::Date32Type;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const BIRTH_DATE: SemanticDomain = SemanticDomain {
    name: "birth_date",
    oid: 12023,
    base: PgType::DATE,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Year,
    comparator: Comparator::Date,
    validate,
    normalize,
    comment: "date of birth",
};

/// Nobody alive is older; earlier dates are placeholders such as 1900-01-00 gone wrong.
const EARLIEST: &str = "1880-01-01";
const SECONDS_PER_DAY: u64 = 86_400;

fn validate(value: &str) -> Result<(), String> {
    let day = Date32Type::parse(value.trim()).ok_or("it is not a date")?;
    if Date32Type::parse(EARLIEST).is_some_and(|earliest| day < earliest) {
        return Err(format!("it is before {EARLIEST}"));
    }
    if day > latest() { Err("it lies in the future".to_owned()) } else { Ok(()) }
}

/// Tomorrow by UTC: today has begun somewhere.
fn latest() -> i32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i32::try_from(now.as_secs() / SECONDS_PER_DAY + 1).unwrap_or(i32::MAX)
}

fn normalize(value: &str) -> Option<String> {
    let day = Date32Type::parse(value.trim())?;
    Some(Date32Type::to_naive_date_opt(day)?.format("%Y-%m-%d").to_string())
}
