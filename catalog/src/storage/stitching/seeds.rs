//! The rules that a new database begins with. They are rows from then on.

use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::{ArrayRef, BooleanArray, Int32Array, RecordBatch, StringViewArray};

use super::rows::{batch, times};
use crate::definition::Oid;
use crate::error::Result;
use crate::features::oids;

/// Namespace, priority, largest number per customer, largest fan-out.
const DEFAULT_RULES: &str = include_str!("../../../sql/features/identity/default_rules.tsv");

/// The role that is said to have set them.
const SET_BY: &str = "clientele";

/// The rows by relation.
///
/// # Errors
/// None in practice: the arrays fit the tables.
pub(in crate::storage) fn seeds() -> Result<[(Oid, RecordBatch); 2]> {
    let now = Utc::now().timestamp_micros();
    Ok([(oids::RULE_CHANGES, rules(now)?), (oids::BLOCKED_VALUES, blocked()?)])
}

fn rules(set_at: i64) -> Result<RecordBatch> {
    let lines: Vec<Vec<&str>> =
        DEFAULT_RULES.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    let numbers = |at: usize| -> ArrayRef {
        let value = |line: &Vec<&str>| line.get(at).and_then(|one| one.parse::<i32>().ok());
        Arc::new(lines.iter().map(value).collect::<Int32Array>())
    };
    let names: StringViewArray = lines.iter().map(|line| line.first().copied()).collect();
    let roles = StringViewArray::from_iter_values(lines.iter().map(|_| SET_BY));
    batch(
        oids::RULE_CHANGES,
        vec![
            Arc::new(names),
            numbers(1),
            numbers(2),
            numbers(3),
            Arc::new(roles),
            times(set_at, lines.len()),
        ],
    )
}

fn blocked() -> Result<RecordBatch> {
    let all = clientele_identity::text::blocked_defaults();
    let texts = |of: fn(&clientele_identity::text::Blocked) -> &str| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(all.iter().map(of)))
    };
    let regex: BooleanArray = all.iter().map(|one| Some(one.regex)).collect();
    batch(
        oids::BLOCKED_VALUES,
        vec![
            texts(|one| one.domain),
            texts(|one| one.pattern),
            Arc::new(regex),
            texts(|one| one.reason),
        ],
    )
}
