//! What a session has to report, until it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::Masking;
use clientele_catalog::privacy::{Decision, treatment};

use super::entry::Entry;
use crate::planning::context::QueryContext;

/// Columns that the present statement reads because they were opened, and decisions of the present
/// transaction.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Columns, with schema and table.
    pub(crate) reads: BTreeSet<Arc<str>>,
    /// Decisions that count once they are committed.
    pub(crate) decisions: Vec<Entry>,
}

/// The columns of a relation, by number, that the role reads as they are though they are closed: they
/// were opened to it, or it is a superuser.
pub(crate) fn open_reads<'n>(
    context: &QueryContext,
    relation: &Relation,
    numbers: impl IntoIterator<Item = &'n i16>,
) -> Vec<Arc<str>> {
    let catalog = context.catalog();
    let columns = numbers.into_iter().filter_map(|number| relation.column_by_number(*number));
    let opened = |column: &&Column| {
        let closed = treatment(catalog, relation, column).masking != Masking::Open;
        closed && context.sees_column(relation, column)
    };
    let names = columns.filter(opened).map(|column| full_name(context, relation, column));
    names.map(Arc::from).collect()
}

/// Notes a decision about a column.
pub(crate) fn note_decision(
    context: &QueryContext,
    kind: &'static str,
    columns: Vec<String>,
    decision: &Decision,
) {
    let statement = context.session.activity.lock().query.clone();
    context.session.noted.lock().decisions.push(Entry {
        kind,
        role: context.role.name.clone(),
        columns,
        statement: Some(crate::sql::normalised::normalised(&statement)),
        row_count: None,
        purpose: context.purpose().map(str::to_owned),
        reason: decision.reason.clone(),
        read_count: None,
    });
}

/// `schema.table.column`.
pub(crate) fn full_name(context: &QueryContext, relation: &Relation, column: &Column) -> String {
    format!("{}.{}", context.catalog().qualified_name(relation), column.name)
}
