//! Who came into a segment and who left it: rows of `membership.intervals`.
//!
//! Members are compared as the customers that they are now: a merge by itself lets nobody enter or
//! leave. The rows keep nodes, and so go with merges and splits as every other row does.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{NodeRows, RowAddress};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::logical_expr::{col, lit};
use roaring::RoaringBitmap;

use super::definition;
use super::runs::{self, Outcome};
use crate::builtin::{batch, numbers, texts, times, write};
use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::refresh::{Cause, How, Located, Run, addresses};
use crate::session::Session;

/// An interval that has not ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// `None`: nobody's any more.
    customer: Option<u32>,
    address: RowAddress,
    entered_at: i64,
    run: i64,
    version: i32,
}

/// What an incremental refresh changed.
#[derive(Debug)]
pub(crate) struct Change {
    /// Who came.
    pub(crate) entered: RoaringBitmap,
    /// Who left.
    pub(crate) left: RoaringBitmap,
    /// There were members that are nobody any more.
    pub(crate) nobody: bool,
    /// How many members there are.
    pub(crate) members: u64,
}

/// What a refresh changed in the intervals.
struct Difference {
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
    (run, how): (&Run, &mut How),
    change: Option<Change>,
) -> Result<()> {
    let subject = definition::subject(view);
    let context = session.context().await?;
    let found = match change {
        Some(change) => {
            how.members = Some(change.members);
            part(session, &context, (view, subject), change).await?
        }
        None => {
            let (nodes, members) = members(session, &context, (view, subject)).await?;
            (how.nodes, how.members) = (Some(Arc::new(nodes)), Some(members.len()));
            difference(session, &context, (view, subject), members).await?
        }
    };
    let version = definition::latest(&session.store, &context.snapshot, &view.name)?;
    let version = version.map_or(1, |(version, _)| version);
    let (entered, left) = (found.entered.len(), found.left.len() as u64);
    let work = session.work().await?;
    {
        let mut transaction = work.lock().await;
        if !found.left.is_empty() {
            let addresses: Vec<RowAddress> = found.left.iter().map(|one| one.address).collect();
            let nodes = session.store.nodes_at(
                transaction.snapshot(),
                (oids::MEMBERSHIP_INTERVALS, subject),
                &addresses,
            )?;
            let ended = ended((&view.name, subject), (&found.left, nodes), run);
            let ended = batch(oids::MEMBERSHIP_INTERVALS, &ended)?;
            transaction.update(oids::MEMBERSHIP_INTERVALS, &addresses, &[ended])?;
        }
        if entered > 0 {
            let begun = begun((&view.name, subject), &found.entered, (run, version));
            write(&mut transaction, oids::MEMBERSHIP_INTERVALS, &begun).await?;
        }
    }
    let asked = matches!(run.cause, Cause::Create | Cause::Refresh);
    let refreshes = session.engine.workers.of(session.database.oid);
    let before = refreshes.state(view.oid);
    // A merge or an erasure changes the number of members, though nobody enters or leaves.
    let other_number = before.how.is_some_and(|before| before.members != how.members);
    // A refresh that changed nothing leaves nothing behind: there may be many each second.
    if asked || other_number || before.error.is_some() || entered + left > 0 {
        let (entered, left) = (Some(entered), Some(left));
        let outcome = Outcome { members: how.members, entered, left, error: None };
        runs::write_down(session, view, (run, how), (version, &outcome)).await?;
    }
    Ok(())
}

/// The difference to the members as a whole.
async fn difference(
    session: &Session,
    context: &Arc<QueryContext>,
    (view, subject): (&Relation, Subject),
    members: RoaringBitmap,
) -> Result<Difference> {
    let mut left = open(session, context, (&view.name, subject), None).await?;
    let before: RoaringBitmap = left.iter().filter_map(|one| one.customer).collect();
    left.retain(|one| one.customer.is_none_or(|customer| !members.contains(customer)));
    Ok(Difference { entered: members - before, left })
}

/// The difference that an incremental refresh has made.
async fn part(
    session: &Session,
    context: &Arc<QueryContext>,
    (view, subject): (&Relation, Subject),
    change: Change,
) -> Result<Difference> {
    let left = match change.nobody || !change.left.is_empty() {
        true => {
            let of = Some((&change.left, change.nobody));
            open(session, context, (&view.name, subject), of).await?
        }
        false => Vec::new(),
    };
    Ok(Difference { entered: change.entered, left })
}

/// The nodes in the rows of a materialized segment, and the customers that they are.
async fn members(
    session: &Session,
    context: &Arc<QueryContext>,
    (view, subject): (&Relation, Subject),
) -> Result<(RoaringBitmap, RoaringBitmap)> {
    let (context, view) = (Arc::clone(context), view.clone());
    session
        .compute(async move {
            let mut nodes = RoaringBitmap::new();
            let take = |rows: NodeRows| nodes.extend(rows.nodes);
            context.store.node_rows(&context.snapshot, &view, (subject, &[]), take)?;
            nodes.remove(0);
            let now = context.snapshot.customers.of(subject);
            let mut members: RoaringBitmap = nodes.iter().map(|node| now.customer(node)).collect();
            members.remove(0);
            Ok((nodes, members))
        })
        .await
}

/// The intervals of a segment that have not ended: all, or those of these customers and, if it is
/// said so, of nobody.
async fn open(
    session: &Session,
    context: &Arc<QueryContext>,
    (segment, subject): (&str, Subject),
    of: Option<(&RoaringBitmap, bool)>,
) -> Result<Vec<Open>> {
    let Some(relation) = context.catalog().relation_by_oid(oids::MEMBERSHIP_INTERVALS) else {
        return Ok(Vec::new());
    };
    let located = Located {
        relation,
        subject,
        customers: of.map(|(customers, _)| customers),
        nobody: of.is_none_or(|(_, nobody)| nobody),
        conditions: vec![
            col("located.segment").eq(lit(segment)),
            col("located.left_at").is_null(),
            // Rows of the other kind have nobody in this column.
            col(format!("located.{}", other(subject).column())).is_null(),
        ],
        columns: &["entered_at", "entered_run", "definition_version"],
    };
    let mut open = Vec::new();
    for batch in located.rows(session, context).await? {
        let [customers, entered, runs, versions, _] = batch.columns() else { continue };
        let customers = customers.as_primitive_opt::<Int64Type>();
        let entered = entered.as_primitive_opt::<TimestampMicrosecondType>();
        let (Some(customers), Some(entered)) = (customers, entered) else { continue };
        let runs = runs.as_primitive_opt::<Int64Type>();
        let versions = versions.as_primitive_opt::<Int32Type>();
        let (Some(runs), Some(versions)) = (runs, versions) else { continue };
        for (row, address) in addresses(&batch).into_iter().enumerate() {
            let customer = customers.is_valid(row).then(|| customers.value(row));
            open.push(Open {
                customer: customer.and_then(|one| u32::try_from(one).ok()),
                address,
                entered_at: entered.value(row),
                run: runs.value(row),
                version: versions.value(row),
            });
        }
    }
    Ok(open)
}

fn other(subject: Subject) -> Subject {
    match subject {
        Subject::Person => Subject::Company,
        Subject::Company => Subject::Person,
    }
}

/// Nodes in the column of their subject, NULL in the other.
fn whose(subject: Subject, nodes: Vec<u32>) -> [ArrayRef; 2] {
    let none = numbers(nodes.iter().map(|_| None));
    let nodes = numbers(nodes.into_iter().map(|node| Some(i64::from(node))));
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
        numbers(all().map(|()| Some(run.number))),
        numbers(all().map(|()| None)),
        numbers(all().map(|()| Some(i64::from(version)))),
    ]
}

fn ended(
    (segment, subject): (&str, Subject),
    (left, nodes): (&[Open], Vec<u32>),
    run: &Run,
) -> Vec<ArrayRef> {
    let [customers, accounts] = whose(subject, nodes);
    vec![
        customers,
        accounts,
        texts(left.iter().map(|_| Some(segment))),
        times(left.iter().map(|one| Some(one.entered_at))),
        times(left.iter().map(|_| Some(run.started_at.timestamp_micros()))),
        numbers(left.iter().map(|one| Some(one.run))),
        numbers(left.iter().map(|_| Some(run.number))),
        numbers(left.iter().map(|one| Some(i64::from(one.version)))),
    ]
}
