//! A refresh of those customers alone for whom something may have changed.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{NodeRows, RowAddress};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::logical_expr::LogicalPlan;
use roaring::RoaringBitmap;

use super::changed::{self, Changed};
use super::extracts::{Extracts, of_customers};
use super::located::{Located, addresses};
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
    /// The nodes in the view's rows.
    pub(super) nodes: Arc<RoaringBitmap>,
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
    let nodes = match before.how.as_ref().and_then(|how| how.nodes.clone()) {
        Some(nodes) => nodes,
        None => nodes_in(session, context, (view, subject)).await?,
    };
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
    Ok(Ok(Concerned { plan, subject, place, customers, nodes }))
}

/// The nodes in a view's rows.
async fn nodes_in(
    session: &Session,
    context: &Arc<QueryContext>,
    (view, subject): (&Relation, Subject),
) -> Result<Arc<RoaringBitmap>> {
    let (context, view) = (Arc::clone(context), view.clone());
    session
        .compute(async move {
            let mut nodes = RoaringBitmap::new();
            let take = |rows: NodeRows| nodes.extend(rows.nodes);
            context.store.node_rows(&context.snapshot, &view, (subject, &[]), take)?;
            nodes.remove(0);
            Ok(Arc::new(nodes))
        })
        .await
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

/// Puts new rows of the customers concerned in the place of their old ones. Returns what has
/// changed, and the nodes that the view's rows have from now on.
///
/// # Errors
/// What the definition does wrong.
pub(super) async fn apply(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    (concerned, extracts): (Concerned, &mut Extracts),
) -> Result<(Change, Arc<RoaringBitmap>)> {
    let Concerned { plan, subject, place, customers, nodes } = concerned;
    let plan = extracts.narrowed(session, context, plan, (subject, &customers)).await?;
    let schema = statement::rows::schema(view);
    let (mut rows, mut count, mut after) = (Vec::new(), 0, RoaringBitmap::new());
    for batch in session.collect(context, plan).await? {
        let batch = statement::rows::padded(&batch, &schema)?;
        let of_them = of_customers(&batch, place, &customers);
        let batch = filter_record_batch(&batch, &of_them).map_err(Error::internal)?;
        if let Some(numbers) = batch.column(place).as_primitive_opt::<Int64Type>() {
            after.extend(numbers.values().iter().filter_map(|one| u32::try_from(*one).ok()));
        }
        count += batch.num_rows() as u64;
        rows.push(batch);
    }
    let (asked, known) = (Arc::clone(context), Arc::clone(&nodes));
    let old =
        session.compute(async move { Ok(old(&asked, &known, (subject, &customers))) }).await?;
    // A row that says nothing but whose it is stays as it is.
    let bare = view.live_columns().count() == 1
        && count == after.len()
        && context.snapshot.row_count(view.oid) == nodes.len();
    let (gone, come) = match bare {
        true => {
            ((&old.members - &after) | &old.twice, (&after - &old.members) | (&after & &old.twice))
        }
        false => (old.members.clone(), after.clone()),
    };
    let mut nodes = nodes.as_ref() - &old.nodes_of(&gone, context, subject);
    nodes |= &come;
    let located = Located {
        relation: view,
        subject,
        customers: Some(&gone),
        nobody: old.nobody,
        conditions: Vec::new(),
        columns: &[],
    };
    let found = match gone.is_empty() && !old.nobody {
        true => Vec::new(),
        false => located.rows(session, context).await?,
    };
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let gone: Vec<RowAddress> = found.iter().flat_map(addresses).collect();
    if !gone.is_empty() {
        transaction.delete(view.oid, &gone)?;
    }
    for batch in rows {
        let new = of_customers(&batch, place, &come);
        let batch = filter_record_batch(&batch, &new).map_err(Error::internal)?;
        if batch.num_rows() > 0 {
            transaction.insert(view.oid, batch)?;
        }
    }
    let change = Change {
        members: old.others + after.len(),
        entered: &after - &old.members,
        left: &old.members - &after,
        nobody: old.nobody,
    };
    Ok((change, Arc::new(nodes)))
}

/// Who is in a view before it is refreshed.
#[derive(Default)]
struct Old {
    /// Nodes of the customers concerned, and of nobody.
    nodes: RoaringBitmap,
    /// The customers concerned that are members.
    members: RoaringBitmap,
    /// Those of them that have rows under different nodes, since a merge.
    twice: RoaringBitmap,
    /// How many other members there are.
    others: u64,
    /// Some rows are of nobody any more.
    nobody: bool,
}

fn old(
    context: &QueryContext,
    nodes: &RoaringBitmap,
    (subject, customers): (Subject, &RoaringBitmap),
) -> Old {
    let now = &context.snapshot.customers;
    let named = now.named(subject, nodes);
    let members = &named & customers;
    let mut others = &named - &members;
    let mut old = Old { nodes: members.clone(), members, ..Old::default() };
    for node in nodes - named {
        let customer = now.of(subject).customer(node);
        if customer == 0 {
            old.nobody = true;
            old.nodes.insert(node);
        } else if customers.contains(customer) {
            old.nodes.insert(node);
            if !old.members.insert(customer) {
                old.twice.insert(customer);
            }
        } else {
            others.insert(customer);
        }
    }
    old.others = others.len();
    old
}

impl Concerned {
    /// Tells what will be taken out of the tables for it.
    ///
    /// # Errors
    /// None in practice.
    pub(super) fn announce(&self, extracts: &mut Extracts) -> Result<()> {
        extracts.expect(&self.plan, (self.subject, &self.customers))
    }
}

impl Old {
    /// The nodes among them that are of these customers, or of nobody.
    fn nodes_of(
        &self,
        customers: &RoaringBitmap,
        context: &QueryContext,
        subject: Subject,
    ) -> RoaringBitmap {
        let now = context.snapshot.customers.of(subject);
        let gone = |node: &u32| {
            let customer = now.customer(*node);
            customer == 0 || customers.contains(customer)
        };
        self.nodes.iter().filter(gone).collect()
    }
}
