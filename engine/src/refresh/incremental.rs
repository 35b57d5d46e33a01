//! A refresh of those customers alone for whom something may have changed.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::RowAddress;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::logical_expr::LogicalPlan;
use roaring::RoaringBitmap;

use super::changed::{self, Changed};
use super::extracts::{Extracts, of_customers};
use super::sources::Sources;
use super::states::State;
use super::{elapsed, local};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::segments::Change;
use crate::session::Session;
use crate::{planning, sql, statement};

/// More customers than this are not computed one by one.
const CUSTOMERS_MAX: u64 = 100_000;

/// What an incremental refresh computes.
pub(super) struct Concerned {
    plan: LogicalPlan,
    subject: Subject,
    /// Place of the customer in the view's rows.
    place: usize,
    pub(super) customers: RoaringBitmap,
}

/// Whether a view can be refreshed for some customers, and for which; else the reason.
///
/// # Errors
/// What the definition does wrong, or reading what has changed.
pub(super) async fn concerned(
    session: &Session,
    context: &Arc<QueryContext>,
    view: &Relation,
    before: &State,
) -> Result<std::result::Result<Concerned, String>> {
    let Some(last) = before.last_refreshed_at else {
        return Ok(Err("it has not been refreshed since the server was started".to_owned()));
    };
    let subject = Subject::ALL.into_iter().find_map(|subject| {
        let place = view.live_columns().position(|one| one.subject == Some(subject))?;
        Some((subject, place))
    });
    let Some((subject, place)) = subject else { return Ok(Err("it is no segment".to_owned())) };
    let sources = Sources::of(context.catalog(), view);
    if before.sources != sources {
        return Ok(Err("a definition has changed".to_owned()));
    }
    if sources.others {
        return Ok(Err("it reads rows that are not stored in tables".to_owned()));
    }
    let now = match optimized(session, context, view, context.started_at).await? {
        now if sources.timed => (now, Some(optimized(session, context, view, last).await?)),
        now => (now, None),
    };
    let (asked, before) = (Arc::clone(context), before.clone());
    let found = session
        .compute(async move {
            if let Err(reason) = local::check(&now.0, place, subject) {
                return Ok(Err(reason));
            }
            let snapshot = (asked.store.as_ref(), asked.snapshot.as_ref());
            let customers = match changed::since(snapshot, (&before, &sources), subject)? {
                Changed::Customers(customers) => customers,
                Changed::Everything(reason) => return Ok(Err(reason)),
            };
            let queries = match &now.1 {
                Some(then) => turned(then, &now.0, subject),
                None => Ok(Vec::new()),
            };
            Ok(queries.map(|queries| (now.0, customers, queries)))
        })
        .await?;
    let (plan, mut customers, queries) = match found {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    for query in queries {
        for batch in session.collect(context, query).await? {
            let numbers = batch.column(0).as_primitive_opt::<Int64Type>();
            let numbers = numbers.into_iter().flat_map(|numbers| numbers.iter().flatten());
            customers.extend(numbers.filter_map(|one| u32::try_from(one).ok()));
        }
    }
    if customers.len() > CUSTOMERS_MAX {
        return Ok(Err(format!("{} customers are concerned", customers.len())));
    }
    Ok(Ok(Concerned { plan, subject, place, customers }))
}

fn turned(
    then: &LogicalPlan,
    now: &LogicalPlan,
    subject: Subject,
) -> std::result::Result<Vec<LogicalPlan>, String> {
    elapsed::between(then, now)?.iter().map(|one| one.customers(subject)).collect()
}

/// The plan of a view's rows at an instant, optimized.
async fn optimized(
    session: &Session,
    context: &Arc<QueryContext>,
    view: &Relation,
    at: DateTime<Utc>,
) -> Result<LogicalPlan> {
    let RelationKind::MaterializedView { query, .. } = &view.kind else {
        return Err(Error::internal("not a materialized view"));
    };
    let query = sql::parse::query(query)?;
    let context = Arc::new(QueryContext { started_at: at, ..context.as_ref().clone() });
    let targets = statement::rows::assignment(view);
    session
        .compute(async move {
            let planned = planning::plan_query(&context, query, &[])?;
            let plan = planning::project_for_assignment(planned.plan, &targets, &context)?;
            Ok(context.timed_state().optimize(&plan)?)
        })
        .await
}

/// Puts new rows of the customers concerned in the place of their old ones.
///
/// # Errors
/// What the definition does wrong.
pub(super) async fn apply(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    (concerned, extracts): (Concerned, &mut Extracts),
) -> Result<Change> {
    let Concerned { plan, subject, place, customers } = concerned;
    let plan = extracts.narrowed(session, context, plan, (subject, &customers)).await?;
    let schema = statement::rows::schema(view);
    let (mut rows, mut after) = (Vec::new(), RoaringBitmap::new());
    for batch in session.collect(context, plan).await? {
        let batch = statement::rows::padded(&batch, &schema)?;
        let of_them = of_customers(&batch, place, &customers);
        let batch = filter_record_batch(&batch, &of_them).map_err(Error::internal)?;
        if let Some(numbers) = batch.column(place).as_primitive_opt::<Int64Type>() {
            after.extend(numbers.values().iter().filter_map(|one| u32::try_from(*one).ok()));
        }
        rows.push(batch);
    }
    let old = old_rows(session, context, view, (subject, customers)).await?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    if !old.addresses.is_empty() {
        transaction.delete(view.oid, &old.addresses)?;
    }
    for batch in rows.into_iter().filter(|batch| batch.num_rows() > 0) {
        transaction.insert(view.oid, batch)?;
    }
    let members = old.others + after.len();
    Ok(Change { before: old.members, after, members, nobody: old.nobody })
}

/// The rows that a view has of customers.
#[derive(Default)]
struct OldRows {
    addresses: Vec<RowAddress>,
    /// The customers among them.
    members: RoaringBitmap,
    /// How many other customers are in the view.
    others: u64,
    /// Some rows are of nobody any more.
    nobody: bool,
}

async fn old_rows(
    session: &Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    (subject, customers): (Subject, RoaringBitmap),
) -> Result<OldRows> {
    let (context, view) = (Arc::clone(context), Arc::clone(view));
    session
        .compute(async move {
            let (mut old, mut others) = (OldRows::default(), RoaringBitmap::new());
            let now = context.snapshot.customers.of(subject);
            context.store.node_rows(&context.snapshot, &view, (subject, &[]), |rows| {
                for (node, address) in rows.nodes.iter().zip(rows.addresses) {
                    let customer = now.customer(*node);
                    if customer == 0 || customers.contains(customer) {
                        old.nobody |= customer == 0;
                        old.members.insert(customer);
                        old.addresses.push(address);
                    } else {
                        others.insert(customer);
                    }
                }
            })?;
            old.members.remove(0);
            old.others = others.len();
            Ok(old)
        })
        .await
}
