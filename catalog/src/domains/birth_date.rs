//! `birth_date`: the day a living person was born: from 1880 to today.

use std::time::SystemTime;

use chrono::{DateTime, Days, NaiveDate};
use clientele_identity::text::{birth_date, domain};
use clientele_udfs::types::PgType;

use super::{Category, Comparator, Kind, Masking, SemanticDomain};

pub(crate) const BIRTH_DATE: SemanticDomain = SemanticDomain {
    name: domain::BIRTH_DATE.name,
    oid: 12023,
    base: PgType::DATE,
    kind: Kind::Attribute,
    category: Category::Identity,
    masking: Masking::Year,
    comparator: Comparator::Date,
    validate,
    normalize: domain::BIRTH_DATE.normalize,
    comment: "date of birth",
};

fn validate(value: &str) -> Result<(), String> {
    (domain::BIRTH_DATE.validate)(value)?;
    match birth_date::parse(value) > latest() {
        true => Err("it lies in the future".to_owned()),
        false => Ok(()),
    }
}

/// Tomorrow by UTC: today has begun somewhere.
fn latest() -> Option<NaiveDate> {
    let now = DateTime::<chrono::Utc>::from(SystemTime::now()).date_naive();
    now.checked_add_days(Days::new(1))
}
