//! Indexes: where the rows are that have some values, and which come first.
//!
//! An index has no file. Rows of a part never change, so a row group of a file, or a batch in
//! memory, is sorted by an index's columns when somebody first asks, and what is sorted is kept,
//! bounded, with everything else that is known of values ([`super::value_indexes`]). Which rows are
//! live says the snapshot that asks. So an index is as correct as the rows: after commits, flushes,
//! rewrites and restarts there is nothing to bring up to date, and nothing to erase from a disk.
//!
//! ```text
//! conditions ─▶ Access (an index, ranges of its keys) ─▶ Search (row groups whose bounds may hold
//!     them) ─▶ SortedBlock ─▶ addresses, or Ordered (a merge) ─▶ Gather ─▶ rows
//! ```
//!
//! It only proposes: whoever asks evaluates the conditions on what it gets. Where too many rows
//! come, the search declines, and a scan is made.

mod access;
mod bounds;
mod conditions;
mod exec;
mod gather;
mod ordered;
mod probe;
mod scanned;
mod search;
mod sort_key;
mod sorted_block;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

pub use access::{Condition, IndexOrder, Test};
pub(super) use bounds::Bounds;
pub use probe::ProbeByIndex;
pub(super) use scanned::Scanned;
pub(super) use sorted_block::SortedBlock;

use super::part::{RowAddress, TableData};
use super::provider::{ScanColumn, StoredTable};
use super::snapshot::Snapshot;
use super::store::Store;
use crate::definition::{Column, Relation};
use crate::error::{Error, Result};
use access::{Access, accesses};
use exec::IndexScanExec;
use gather::Gather;
use ordered::Ordered;
use search::{Search, Stop};

/// Rows up to which a question is answered without a plan.
const ANSWER_ROWS: usize = 4096;

/// What an index is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// What rows are to fulfil, all of it.
    pub conditions: Vec<Condition>,
    /// The order that rows are wanted in, when only the first are.
    pub order: Option<IndexOrder>,
    /// The columns that are wanted: their places in the provider's schema,
    pub columns: Arc<[usize]>,
    /// and their fields.
    pub schema: SchemaRef,
}

/// Answer of [`Store::index_rows`].
#[derive(Debug)]
pub enum Answer {
    /// All rows that may be wanted.
    All(RecordBatch),
    /// The first of them in the order that was asked for, as many as were; fewer: there are no more.
    First(RecordBatch),
    /// No index helps: scan.
    Declined,
}

impl Store {
    /// Rows that may be wanted, by an index; of an ordered question the first `count`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn index_rows(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        relation: &Arc<Relation>,
        question: &Arc<Question>,
        count: usize,
    ) -> Result<Answer> {
        let at_once = self.answer((snapshot, relation), question, count, false);
        let answer = match at_once {
            // Reading and sorting take longer than the caller's thread has time.
            Err(Stop::Unread) => {
                let (store, snapshot) = (Arc::clone(self), Arc::clone(snapshot));
                let (relation, question) = (Arc::clone(relation), Arc::clone(question));
                let answer = move || store.answer((&snapshot, &relation), &question, count, true);
                let answer = tokio::task::spawn_blocking(answer).await;
                answer.map_err(|error| Error::Internal(error.to_string()))?
            }
            answer => answer,
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Declined | Stop::Unread) => Ok(Answer::Declined),
        }
    }

    fn answer(
        &self,
        (snapshot, relation): (&Snapshot, &Relation),
        question: &Question,
        count: usize,
        may_read: bool,
    ) -> Result<Answer, Stop> {
        let table = snapshot.table_ref(relation.oid).map(Arc::clone).unwrap_or_default();
        let (addresses, is_first) = self.find((&table, relation), question, count, may_read)?;
        let gather = Gather {
            blocks: &self.shared.rows,
            table: &table,
            relation,
            customers: &snapshot.customers,
            columns: &columns(relation, &question.columns),
            schema: &question.schema,
        };
        let rows = gather.rows(&addresses, may_read)?;
        Ok(if is_first { Answer::First(rows) } else { Answer::All(rows) })
    }

    /// Addresses, and whether they are the first of an order.
    fn find(
        &self,
        (table, relation): (&TableData, &Relation),
        question: &Question,
        count: usize,
        may_read: bool,
    ) -> Result<(Vec<RowAddress>, bool), Stop> {
        let accesses = usable(relation, &question.conditions)?;
        let values = &self.shared.values;
        let search = |access| Search { values, table, relation, access, may_read };
        let order = question.order.as_ref();
        for access in accesses.iter().filter(|access| access.is_narrow()) {
            let given = order.and_then(|order| Some((order.descending, access.gives(order)?)));
            let found = match given {
                Some(how) => first(&search(access), how, count).map(|rows| (rows, true)),
                None => search(access).rows(ANSWER_ROWS).map(|rows| (rows, false)),
            };
            match found {
                Err(Stop::Declined) => {}
                Ok(found) => return Ok(self.counted(access, found)),
                stop => return stop,
            }
        }
        let ordered = order.and_then(|order| {
            let how = |access: &Access| Some((order.descending, access.gives(order)?));
            accesses.iter().find_map(|access| Some((access, how(access)?)))
        });
        let (access, how) = ordered.ok_or(Stop::Declined)?;
        let found = first(&search(access), how, count)?;
        Ok(self.counted(access, (found, true)))
    }

    fn counted(&self, access: &Access, found: (Vec<RowAddress>, bool)) -> (Vec<RowAddress>, bool) {
        self.shared.tallies.index_used(access.index, found.0.len());
        found
    }
}

fn usable(relation: &Relation, conditions: &[Condition]) -> Result<Vec<Access>, Stop> {
    match relation.temporary {
        true => Err(Stop::Declined),
        false => Ok(accesses(relation, conditions)?),
    }
}

/// The first rows of an order; with `ties` those behind them that have the last one's key, too.
fn first(
    search: &Search<'_>,
    (descending, ties): (bool, bool),
    count: usize,
) -> Result<Vec<RowAddress>, Stop> {
    let mut walk = Ordered::new(search, descending)?;
    let mut found = Vec::with_capacity(count.min(ANSWER_ROWS));
    let mut last = None;
    while found.len() < count || ties {
        let Some((address, block, at)) = walk.next()? else { break };
        let tied =
            |(before, place): &(Arc<SortedBlock>, usize)| block.key(at) == before.key(*place);
        if found.len() >= count && !last.as_ref().is_some_and(tied) {
            break;
        }
        if found.len() > count.max(ANSWER_ROWS) {
            return Err(Stop::Declined);
        }
        found.push(address);
        last = Some((block, at));
    }
    Ok(found)
}

/// Columns of a relation's provider by place: the live ones, and `ctid` behind them.
pub(super) fn columns<'a>(relation: &'a Relation, places: &[usize]) -> Vec<ScanColumn<'a>> {
    let live: Vec<&Column> = relation.live_columns().collect();
    let column =
        |at: &usize| live.get(*at).map_or(ScanColumn::RowAddress, |one| ScanColumn::Stored(one));
    places.iter().map(column).collect()
}

/// The plan of a scan whose conditions an index answers with few rows.
///
/// # Errors
/// A file cannot be read.
pub(super) fn plan(
    table: &StoredTable,
    projection: Option<&Vec<usize>>,
    schema: &SchemaRef,
    filters: &[Expr],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let conditions = conditions::of_filters(&table.relation, filters);
    if conditions.is_empty() {
        return Ok(None);
    }
    let scanned = Arc::new(Scanned::new(table));
    let Some((index, addresses)) = scanned.rows(&conditions)? else { return Ok(None) };
    let all = || (0..schema.fields().len()).collect();
    let projection = projection.cloned().unwrap_or_else(all);
    Ok(Some(Arc::new(IndexScanExec::new(scanned, (index, addresses), projection, schema))))
}
