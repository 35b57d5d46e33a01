//! `identity.preview(…)`: what another rule would change.

use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::Proposal;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Int64Array, StringViewArray};
use datafusion::scalar::ScalarValue;

use super::procedures::{changed_limits, must_be_regex};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::handle;
use crate::planning::context::QueryContext;

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("subject", PgType::TEXT),
    ("event", PgType::TEXT),
    ("customer_id", PgType::INT8),
    ("other_customer_id", PgType::INT8),
    ("cause", PgType::TEXT),
];

/// One change.
struct Change {
    subject: Subject,
    event: &'static str,
    customer: Option<u32>,
    other: Option<u32>,
    cause: u32,
}

/// The rule that the arguments of a preview propose.
///
/// # Errors
/// 22004, 22023, 2201B.
pub(super) fn proposal(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Proposal> {
    let namespace = text(arguments, 0)
        .ok_or_else(|| Error::new("22004", "namespace of a preview must not be null"))?;
    let limits = changed_limits(context, namespace, arguments.get(1..4).unwrap_or_default())?;
    let exact = text(arguments, 4).map(|one| (one, false));
    let pattern = text(arguments, 5).map(|one| (one, true)).or(exact);
    if let Some((pattern, true)) = pattern {
        must_be_regex(pattern)?;
    }
    Ok(Proposal {
        limits: Some((namespace.to_owned(), limits)),
        blocked: pattern.map(|(one, regex)| (namespace.to_owned(), one.to_owned(), regex)),
    })
}

/// One row for each merge, split, identifier that would stitch nothing any more or again.
pub(super) fn rows(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let proposal = proposal(context, arguments)?;
    let both = context.store.preview(&context.snapshot, &proposal)?;
    let mut changes = Vec::new();
    let mut sights = Vec::new();
    for (subject, found) in Subject::ALL.into_iter().zip(both) {
        let of = |event, customer, other, cause| Change { subject, event, customer, other, cause };
        let first = changes.len();
        changes.extend(
            found
                .merges
                .iter()
                .map(|one| of("merge", Some(one.survivor), Some(one.absorbed), one.cause)),
        );
        changes.extend(
            found.splits.iter().map(|one| of("split", Some(one.from), Some(one.part), one.cause)),
        );
        changes.extend(found.quarantined.iter().map(|one| of("quarantine", None, None, *one)));
        changes.extend(found.released.iter().map(|one| of("release", None, None, *one)));
        let causes = changes.iter().skip(first).map(|one| one.cause).collect::<Vec<_>>();
        sights.push(context.store.first_sights(&context.snapshot, subject, &causes)?);
    }
    let cause = |one: &Change| {
        let sights = sights.get(one.subject as usize).map(Vec::as_slice).unwrap_or_default();
        handle::shown(context.catalog(), sights, one.cause)
    };
    let subject = |one: &Change| match one.subject {
        Subject::Person => "person",
        Subject::Company => "company",
    };
    let number = |of: fn(&Change) -> Option<u32>| -> ArrayRef {
        Arc::new(changes.iter().map(|one| of(one).map(i64::from)).collect::<Int64Array>())
    };
    Ok(vec![
        Arc::new(changes.iter().map(|one| Some(subject(one))).collect::<StringViewArray>()),
        Arc::new(changes.iter().map(|one| Some(one.event)).collect::<StringViewArray>()),
        number(|one| one.customer),
        number(|one| one.other),
        Arc::new(changes.iter().map(cause).collect::<StringViewArray>()),
    ])
}
