//! One refresh of one materialized view, in a session's transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{Column, Object, Oid, Relation, RelationKind};
use clientele_catalog::pg_catalog::JobKind;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use roaring::RoaringBitmap;

use super::extracts::Extracts;
use super::incremental::{self, Concerned};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::session::job::Job;
use crate::{planning, privacy, recommend, segments, sql, statement};

/// What a refresh began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// `CREATE MATERIALIZED VIEW`.
    Create,
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh,
    /// Its time has come.
    Schedule,
    /// Rows that it reads have changed.
    Commit,
}

impl Cause {
    /// As `membership.runs` shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Refresh => "refresh",
            Self::Schedule => "schedule",
            Self::Commit => "commit",
        }
    }
}

/// A run: one or more views, refreshed from one snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Its number, rising.
    pub(crate) number: i64,
    /// What it began with.
    pub(crate) cause: Cause,
    /// When it began: `now()` in the definitions.
    pub(crate) started_at: DateTime<Utc>,
}

impl Run {
    /// A new run of a session.
    pub(crate) fn new(session: &Session, cause: Cause, context: &QueryContext) -> Self {
        let number = i64::from(session.store.allocate_oid());
        Self { number, cause, started_at: context.started_at }
    }
}

/// How a view was refreshed, and why so.
#[derive(Debug, Clone)]
pub(crate) struct How {
    /// Only customers with changes were computed.
    pub(crate) incremental: bool,
    /// Why.
    pub(crate) reason: String,
    /// How many members a segment has afterwards.
    pub(crate) members: Option<u64>,
    /// The nodes in a segment's rows.
    pub(crate) nodes: Option<Arc<RoaringBitmap>>,
    /// How long it took, without what the views of a run share.
    pub(crate) took: Option<Duration>,
}

impl How {
    /// Everything was computed.
    pub(crate) fn full(reason: impl Into<String>) -> Self {
        Self { incremental: false, reason: reason.into(), members: None, nodes: None, took: None }
    }

    /// As `membership.runs` shows it.
    pub(crate) fn mode(&self) -> &'static str {
        if self.incremental { "incremental" } else { "full" }
    }
}

/// What the views of a run share: rows are taken out of a table once for all of them.
#[derive(Default)]
pub(crate) struct Together {
    extracts: Extracts,
    /// For whom views are refreshed, where it is known ahead.
    concerned: HashMap<Oid, std::result::Result<Concerned, String>>,
}

impl Together {
    /// Finds out for whom these views are to be refreshed. What goes wrong is told when each is.
    pub(crate) async fn ahead(
        session: &Session,
        context: &Arc<QueryContext>,
        views: &[&Arc<Relation>],
    ) -> Self {
        let mut together = Self::default();
        for view in views {
            let context = context.as_role(view.owner);
            let Ok(concerned) = concerned(session, &context, view).await else { continue };
            if let Ok(concerned) = &concerned
                && concerned.announce(&mut together.extracts).is_err()
            {
                continue;
            }
            together.concerned.insert(view.oid, concerned);
        }
        together
    }
}

/// Computes a view anew: the new rows take the place of the old ones when the transaction commits.
///
/// # Errors
/// What the definition does wrong; the transaction must go back to where it was.
pub(crate) async fn refresh(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    (run, together): (&Run, &mut Together),
) -> Result<How> {
    let begun = Instant::now();
    let how = refreshed(session, context, view, (run, together)).await?;
    Ok(How { took: Some(begun.elapsed()), ..how })
}

async fn refreshed(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    (run, together): (&Run, &mut Together),
) -> Result<How> {
    // What is under it is read with the owner's rights, whoever refreshes it.
    let context = context.as_role(view.owner);
    let job = Job::new(&session.shared, JobKind::RefreshMaterializedView, view.oid);
    if view.is_recommender() {
        return learn(session, &context, view).await;
    }
    let ahead = together.concerned.remove(&view.oid);
    let concerned = match ahead {
        Some(concerned) => concerned,
        None => concerned(session, &context, view).await?,
    };
    let reason = match concerned {
        Ok(concerned) => {
            let reason = format!("{} customers were concerned", concerned.customers.len());
            let (change, nodes) =
                incremental::apply(session, &context, view, (concerned, &mut together.extracts))
                    .await?;
            let mut how = How { incremental: true, nodes: Some(nodes), ..How::full(reason) };
            segments::record(session, view, (run, &mut how), Some(change)).await?;
            return Ok(how);
        }
        Err(reason) => reason,
    };
    whole(session, &context, view, &job).await?;
    let mut how = How::full(reason);
    if segments::is_segment(view) {
        segments::record(session, view, (run, &mut how), None).await?;
    }
    Ok(how)
}

/// For whom a view can be refreshed alone; else the reason why not.
async fn concerned(
    session: &Session,
    context: &Arc<QueryContext>,
    view: &Relation,
) -> Result<std::result::Result<Concerned, String>> {
    let before = session.engine.workers.of(session.database.oid).state(view.oid);
    match &view.kind {
        RelationKind::MaterializedView { populated: true, .. } => {
            incremental::concerned(session, context, view, &before).await
        }
        _ => Ok(Err("it has had no rows".to_owned())),
    }
}

/// A recommender has no rows: its model is made.
async fn learn(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
) -> Result<How> {
    let RelationKind::MaterializedView { query, .. } = &view.kind else {
        return Err(Error::new("42809", format!("\"{}\" is not a materialized view", view.name)));
    };
    let kind = RelationKind::MaterializedView { query: query.clone(), populated: true };
    let definition = Relation { kind, ..view.as_ref().clone() };
    let how = session.compute(recommend::refresh(Arc::clone(context), definition)).await?;
    empty(session, view, true).await?;
    Ok(How { incremental: how.incremental, ..How::full(how.reason) })
}

/// Computes all rows of a view.
async fn whole(
    session: &mut Session,
    context: &Arc<QueryContext>,
    view: &Arc<Relation>,
    job: &Job,
) -> Result<()> {
    let RelationKind::MaterializedView { query, .. } = &view.kind else {
        return Err(Error::new("42809", format!("\"{}\" is not a materialized view", view.name)));
    };
    let parsed = sql::parse::query(query)?;
    let planning_context = Arc::clone(context);
    let planned = session
        .compute(async move { planning::plan_query(&planning_context, parsed, &[]) })
        .await?;
    let mut after = view.as_ref().clone();
    privacy::lineage::derive(context, &planned.plan, &mut after)?;
    empty(session, &after, true).await?;
    let plan = of_somebody(view, planned.plan)?;
    statement::fill(session, context, (&after, plan), job).await?;
    Ok(())
}

/// The rows of a segment that are of somebody: others are in no segment.
///
/// # Errors
/// None in practice.
pub(crate) fn of_somebody(view: &Relation, plan: LogicalPlan) -> Result<LogicalPlan> {
    let subject = |column: &Column| column.subject.is_some();
    let Some(place) = view.live_columns().position(subject) else { return Ok(plan) };
    let schema = Arc::clone(plan.schema());
    let Some(column) = schema.iter().nth(place) else { return Ok(plan) };
    let known = Expr::Column(column.into()).is_not_null();
    Ok(LogicalPlanBuilder::from(plan).filter(known)?.build()?)
}

/// Takes the rows of a view away, and says whether it can be read (`populated`).
///
/// # Errors
/// None in practice.
pub(crate) async fn empty(session: &mut Session, view: &Relation, populated: bool) -> Result<()> {
    let RelationKind::MaterializedView { query, .. } = &view.kind else { return Ok(()) };
    let kind = RelationKind::MaterializedView { query: query.clone(), populated };
    let after = Relation { kind, ..view.clone() };
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    let before = transaction.snapshot().catalog.relation_by_oid(view.oid).map(Arc::clone);
    if before.is_none_or(|before| *before != after) {
        transaction.put(Object::Relation(after));
    }
    transaction.truncate(view.oid);
    Ok(())
}
