//! Who came into a segment and who left it: rows of `membership.intervals`.
//!
//! Members are compared as the customers that they are now: a merge by itself lets nobody enter or
//! leave. The rows keep nodes, and so go with merges and splits as every other row does.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{RowAddress, Snapshot, Store};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use roaring::RoaringBitmap;

use super::definition;
use super::rows::{batch, integers, texts, times, write};
use super::runs::{self, Outcome};
use crate::error::Result;
use crate::refresh::{Cause, How, Run};
use crate::session::Session;

/// An interval that has not ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: u32,
    customer: u32,
    address: RowAddress,
    entered_at: i64,
    run: i64,
    version: i32,
}

/// What an incremental refresh changed, of the customers that it computed.
#[derive(Debug)]
pub(crate) struct Change {
    /// Those that were members.
    pub(crate) before: RoaringBitmap,
    /// Those that are.
    pub(crate) after: RoaringBitmap,
    /// How many members there are, others included.
    pub(crate) members: u64,
    /// There were members that are nobody any more.
    pub(crate) nobody: bool,
}

/// What a refresh changed.
#[derive(Debug)]
struct Difference {
    members: u64,
    entered: RoaringBitmap,
    left: Vec<Open>,
}

/// Writes down who came and who left with a refresh of a materialized segment, whose new rows the
/// session's transaction has already.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) async fn record(
    session: &mut Session,
    view: &Relation,
    (run, how): (&Run, &How),
    change: Option<Change>,
) -> Result<()> {
    let work = session.work().await?;
    let snapshot = Arc::clone(work.lock().await.snapshot());
    let subject = definition::subject(view);
    let (store, segment) = (Arc::clone(&session.store), view.clone());
    let (found, version) = session
        .compute(async move {
            let found = match change {
                Some(change) => part(&store, &snapshot, (&segment, subject), change)?,
                None => difference(&store, &snapshot, (&segment, subject))?,
            };
            let version = definition::latest(&store, &snapshot, &segment.name)?;
            Ok((found, version.map_or(1, |(version, _)| version)))
        })
        .await?;
    let (entered, left) = (found.entered.len(), found.left.len() as u64);
    {
        let mut transaction = work.lock().await;
        if !found.left.is_empty() {
            let addresses: Vec<RowAddress> = found.left.iter().map(|one| one.address).collect();
            let ended = ended((&view.name, subject), &found.left, run);
            let ended = batch(oids::MEMBERSHIP_INTERVALS, ended)?;
            transaction.update(oids::MEMBERSHIP_INTERVALS, &addresses, &[ended])?;
        }
        if entered > 0 {
            let begun = begun((&view.name, subject), &found.entered, (run, version));
            write(&mut transaction, oids::MEMBERSHIP_INTERVALS, begun).await?;
        }
    }
    let asked = matches!(run.cause, Cause::Create | Cause::Refresh);
    let refreshes = session.engine.workers.of(session.database.oid);
    let mended = refreshes.state(view.oid).error.is_some();
    // A refresh that changed nothing leaves nothing behind: there may be many each second.
    if asked || mended || entered + left > 0 {
        let members = Some(found.members);
        let outcome = Outcome { members, entered: Some(entered), left: Some(left), error: None };
        runs::write_down(session, view, (run, how), (version, &outcome)).await?;
    }
    Ok(())
}

fn difference(
    store: &Arc<Store>,
    snapshot: &Snapshot,
    (view, subject): (&Relation, Subject),
) -> Result<Difference> {
    let members = members(store, snapshot, (view, subject))?;
    let open = open(store, snapshot, (&view.name, subject))?;
    let before: RoaringBitmap = open.iter().map(|one| one.customer).collect();
    let left = open.into_iter().filter(|one| !members.contains(one.customer)).collect();
    Ok(Difference { entered: &members - before, members: members.len(), left })
}

/// The difference that an incremental refresh has made.
fn part(
    store: &Arc<Store>,
    snapshot: &Snapshot,
    (view, subject): (&Relation, Subject),
    change: Change,
) -> Result<Difference> {
    let gone = &change.before - &change.after;
    let mut left = Vec::new();
    if change.nobody || !gone.is_empty() {
        left = open(store, snapshot, (&view.name, subject))?;
        left.retain(|one| one.customer == 0 || gone.contains(one.customer));
    }
    Ok(Difference { entered: change.after - change.before, members: change.members, left })
}

/// The customers in a materialized segment as a snapshot has it.
pub(super) fn members(
    store: &Arc<Store>,
    snapshot: &Snapshot,
    (view, subject): (&Relation, Subject),
) -> Result<RoaringBitmap> {
    let mut members = RoaringBitmap::new();
    let customers = snapshot.customers.of(subject);
    store.node_rows(snapshot, view, (subject, &[]), |rows| {
        members.extend(rows.nodes.iter().map(|node| customers.customer(*node)));
    })?;
    // Nobody's number.
    members.remove(0);
    Ok(members)
}

/// Places of the columns that are read: segment, entered_at, left_at, entered_run, version.
const COLUMNS: [i16; 5] = [3, 4, 5, 6, 8];

fn open(
    store: &Arc<Store>,
    snapshot: &Snapshot,
    (segment, subject): (&str, Subject),
) -> Result<Vec<Open>> {
    let mut open = Vec::new();
    let Some(relation) = snapshot.catalog.relation_by_oid(oids::MEMBERSHIP_INTERVALS) else {
        return Ok(open);
    };
    let customers = snapshot.customers.of(subject);
    store.node_rows(snapshot, relation, (subject, &COLUMNS), |rows| {
        let [segments, entered, left, runs, versions] = rows.columns.as_slice() else { return };
        let entered = entered.as_primitive_opt::<TimestampMicrosecondType>();
        let (Some(segments), Some(entered)) = (segments.as_string_view_opt(), entered) else {
            return;
        };
        let runs = runs.as_primitive_opt::<Int64Type>();
        let (Some(runs), Some(versions)) = (runs, versions.as_primitive_opt::<Int32Type>()) else {
            return;
        };
        for (row, (node, address)) in rows.nodes.iter().zip(&rows.addresses).enumerate() {
            if left.is_valid(row) || *node == 0 || segments.value(row) != segment {
                continue;
            }
            open.push(Open {
                node: *node,
                customer: customers.customer(*node),
                address: *address,
                entered_at: entered.value(row),
                run: runs.value(row),
                version: versions.value(row),
            });
        }
    })?;
    Ok(open)
}

/// Nodes in the column of their subject, NULL in the other.
fn whose(subject: Subject, nodes: Vec<u32>) -> [ArrayRef; 2] {
    let none = integers(nodes.iter().map(|_| None));
    let nodes = integers(nodes.into_iter().map(|node| Some(i64::from(node))));
    match subject {
        Subject::Person => [nodes, none],
        Subject::Company => [none, nodes],
    }
}

fn begun(
    (segment, subject): (&str, Subject),
    entered: &RoaringBitmap,
    (run, version): (&Run, i32),
) -> Vec<ArrayRef> {
    let count = entered.len();
    let all = || (0..count).map(|_| ());
    let [customers, accounts] = whose(subject, entered.iter().collect());
    vec![
        customers,
        accounts,
        texts(all().map(|()| Some(segment))),
        times(all().map(|()| Some(run.started_at.timestamp_micros()))),
        times(all().map(|()| None)),
        integers(all().map(|()| Some(run.number))),
        integers(all().map(|()| None)),
        integers(all().map(|()| Some(i64::from(version)))),
    ]
}

fn ended((segment, subject): (&str, Subject), left: &[Open], run: &Run) -> Vec<ArrayRef> {
    let [customers, accounts] = whose(subject, left.iter().map(|one| one.node).collect());
    vec![
        customers,
        accounts,
        texts(left.iter().map(|_| Some(segment))),
        times(left.iter().map(|one| Some(one.entered_at))),
        times(left.iter().map(|_| Some(run.started_at.timestamp_micros()))),
        integers(left.iter().map(|one| Some(one.run))),
        integers(left.iter().map(|_| Some(run.number))),
        integers(left.iter().map(|one| Some(i64::from(one.version)))),
    ]
}
