//! `identity.preview_segments(…)`: who would be in which segment under another rule.
//!
//! The definitions are computed over the same rows with the customers of now and with those that
//! the rule would make.

use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::SEGMENTS_OID;
use clientele_catalog::privileges::Access;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;
use roaring::RoaringBitmap;

use super::preview::proposal;
use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::session::collect_while_planning;
use crate::{planning, sql};

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("segment", PgType::TEXT),
    ("member_count", PgType::INT8),
    ("new_member_count", PgType::INT8),
    ("would_enter", PgType::INT8),
    ("would_leave", PgType::INT8),
];

/// One row for each segment that the role may read.
pub(super) fn rows(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let proposal = proposal(context, arguments)?;
    let now = &context.snapshot.customers;
    let then = context.store.preview_customers(&context.snapshot, &proposal)?;
    let (mut names, mut figures) = (Vec::new(), [const { Vec::new() }; 4]);
    for view in context.catalog().relations().filter(|one| one.schema == SEGMENTS_OID) {
        let subject = Subject::ALL.into_iter().find(|one| view.column(one.column()).is_some());
        let readable = Access::relation(view).permits(&context.rights, 'r', false);
        let Some(subject) = subject.filter(|_| readable) else { continue };
        let other = Arc::new(context.snapshot.with_customers(Arc::clone(&then)));
        let before = members(context.clone(), (view, subject))?;
        let after = members(QueryContext { snapshot: other, ..context.clone() }, (view, subject))?;
        let (now, then) = (now.of(subject), then.of(subject));
        let enter = after.iter().filter(|one| !before.contains(now.customer(*one))).count();
        let leave = before.iter().filter(|one| !after.contains(then.customer(*one))).count();
        names.push(view.name.clone());
        let counts = [before.len(), after.len(), enter as u64, leave as u64];
        for (figures, count) in figures.iter_mut().zip(counts) {
            figures.push(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    let names: ArrayRef = Arc::new(StringViewArray::from_iter_values(names));
    let figures = figures.map(|one| Arc::new(Int64Array::from(one)) as ArrayRef);
    Ok(std::iter::once(names).chain(figures).collect())
}

/// The customers that a definition names, with its owner's rights.
fn members(context: QueryContext, (view, subject): (&Relation, Subject)) -> Result<RoaringBitmap> {
    let (RelationKind::View { query } | RelationKind::MaterializedView { query, .. }) = &view.kind
    else {
        return Ok(RoaringBitmap::new());
    };
    let context = context.as_role(view.owner);
    let planned = planning::plan_query(&context, sql::parse::query(query)?, &[])?;
    let place = view.live_columns().position(|one| one.name == subject.column()).unwrap_or(0);
    let mut members = RoaringBitmap::new();
    for batch in collect_while_planning(&context, &planned.plan)? {
        if let Some(numbers) = batch.column(place).as_primitive_opt::<Int64Type>() {
            members.extend(numbers.iter().flatten().filter_map(|one| u32::try_from(one).ok()));
        }
    }
    Ok(members)
}
