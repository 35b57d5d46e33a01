//! Plans that outlive their statement: what `prepare` found out is good for every execution until
//! its [`Basis`] changes. A kept plan holds no snapshot; each execution gives it its own.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use clientele_catalog::definition::Relation;
use clientele_catalog::storage::{Snapshot, foreign_moved_to, moved_to};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DataFusionResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion::scalar::ScalarValue;

use super::basis::Basis;
use super::{Prepared, Session};
use crate::api::{BatchStream, Column};
use crate::customers;
use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::QueryContext;
use crate::planning::needs;
use crate::planning::{self, Planned};
use crate::recommend;
use crate::road::{Conditions, Road};
use crate::sql::Body;
use crate::statement::{self, Described, Through};

/// A plan, and what was made of it.
pub(crate) struct Kept {
    basis: Arc<Basis>,
    pub(crate) planned: Planned,
    target: Option<Arc<Relation>>,
    /// Schema of the rows that it writes.
    pub(crate) row_schema: OnceLock<SchemaRef>,
    /// Conditions of the rows that it writes.
    pub(crate) conditions: Conditions,
    /// The plan is over this snapshot and of this instant and can be over no other.
    own: Option<(Arc<Snapshot>, DateTime<Utc>)>,
    road: OnceLock<Option<Arc<Road>>>,
    /// RETURNING's columns and road; its rows are the written ones.
    returning: Option<(Vec<Column>, Arc<Road>)>,
    /// The statement over the table of the view that it names.
    pub(crate) through: Option<Arc<Through>>,
}

impl Kept {
    fn new(context: &Arc<QueryContext>, described: Described) -> Option<Self> {
        let planned = described.planned?;
        let (plan, free) = moved(planned.plan.clone(), None).ok()?;
        let plan = if free { plan } else { planned.plan };
        let returning = described.returning.and_then(|planned| {
            let (plan, _) = moved(planned.plan.clone(), None).ok()?;
            let road = Road::over_rows(&Planned { plan, ..planned.clone() }, context)?;
            Some((planned.columns, Arc::new(road)))
        });
        Some(Self {
            basis: Arc::clone(&context.basis),
            own: (!free).then(|| (Arc::clone(&context.snapshot), context.started_at)),
            planned: Planned { plan, ..planned },
            target: described.target,
            row_schema: OnceLock::new(),
            conditions: Conditions::default(),
            road: OnceLock::new(),
            returning,
            through: described.through,
        })
    }

    /// Whether it is over no snapshot.
    pub(super) fn is_free(&self) -> bool {
        self.own.is_none()
    }

    /// Whether the plan is good for a statement.
    pub(super) fn holds(&self, context: &QueryContext) -> bool {
        let same = Arc::ptr_eq(&self.basis, &context.basis);
        same && self.own.as_ref().is_none_or(|(snapshot, instant)| {
            Arc::ptr_eq(snapshot, &context.snapshot) && *instant == context.started_at
        })
    }

    /// The table that the statement writes to.
    pub(crate) fn written_to(&self) -> Result<Arc<Relation>> {
        self.target.clone().ok_or_else(|| Error::internal("a statement without a target"))
    }

    /// The plan over a statement's snapshot, with its parameters.
    fn plan(&self, context: &Arc<QueryContext>, values: Vec<ScalarValue>) -> Result<LogicalPlan> {
        let plan = self.planned.plan.clone();
        let plan = match &self.own {
            Some(_) => plan,
            None => moved(plan, Some(context))?.0,
        };
        planning::bind(plan, values)
    }

    fn road(&self, context: &Arc<QueryContext>) -> Option<&Arc<Road>> {
        let compile = || Road::compile(&self.planned, context).map(Arc::new);
        let free = self.own.is_none();
        free.then(|| self.road.get_or_init(compile).as_ref()).flatten()
    }
}

impl Session {
    /// The plan of a statement: the kept one if it still holds, else a new one.
    ///
    /// # Errors
    /// What planning refuses; 0A000 when a query has got other columns since it was prepared.
    pub(crate) async fn kept(
        &mut self,
        prepared: &Prepared,
        context: &Arc<QueryContext>,
    ) -> Result<Arc<Kept>> {
        let before = prepared.kept.lock().take();
        let kept = match before.filter(|kept| kept.holds(context)) {
            Some(kept) => kept,
            None => {
                let declared = prepared.parameters.iter().copied().map(Some).collect();
                let body = Arc::clone(&prepared.statement.body);
                let (described, kept) = self.plan_anew(body, declared, context).await?;
                same_columns(prepared.columns.as_deref(), described.as_deref())?;
                kept.ok_or_else(|| Error::internal("a statement without a plan"))?
            }
        };
        prepared.keep(&kept);
        needs::check(context, &kept.planned.needs)?;
        Ok(kept)
    }

    /// Plans a statement: what it returns, and its plan.
    pub(super) async fn plan_anew(
        &self,
        body: Arc<Body>,
        declared: Vec<Option<PgType>>,
        context: &Arc<QueryContext>,
    ) -> Result<(Option<Vec<Column>>, Option<Arc<Kept>>)> {
        let context = Arc::clone(context);
        self.compute_soon(async move {
            let mut described = statement::describe(&context, &body, &declared)?;
            let columns = described.columns.take();
            Ok((columns, Kept::new(&context, described).map(Arc::new)))
        })
        .await
    }

    /// All rows of a plan, by the short road where there is one.
    ///
    /// # Errors
    /// What the statement does wrong.
    pub(crate) async fn rows(
        &self,
        context: &Arc<QueryContext>,
        kept: &Kept,
        parameters: Vec<ScalarValue>,
    ) -> Result<Vec<RecordBatch>> {
        if let Some(batches) = self.short_road(context, kept, &parameters).await? {
            return Ok(batches);
        }
        self.collect(context, kept.plan(context, parameters)?).await
    }

    /// The same, as they come.
    pub(super) async fn row_stream(
        &self,
        context: &Arc<QueryContext>,
        kept: &Kept,
        parameters: Vec<ScalarValue>,
    ) -> Result<BatchStream> {
        if let Some(batches) = self.short_road(context, kept, &parameters).await? {
            return Ok(Box::pin(futures::stream::iter(batches.into_iter().map(Ok))));
        }
        self.stream(context, kept.plan(context, parameters)?).await
    }

    /// What RETURNING makes of written rows by the short road, with its columns.
    ///
    /// # Errors
    /// What its expressions refuse.
    pub(crate) async fn returned(
        &self,
        context: &Arc<QueryContext>,
        kept: &Kept,
        written: &[RecordBatch],
    ) -> Result<Option<(Vec<Column>, Vec<RecordBatch>)>> {
        let Some((columns, road)) = &kept.returning else { return Ok(None) };
        let rows = match written {
            [] => return Ok(Some((columns.clone(), Vec::new()))),
            [one] => one.clone(),
            many => concat_batches(many[0].schema_ref(), many).map_err(Error::internal)?,
        };
        let rows = self.travel(road, context, (Vec::new(), Some(rows))).await?;
        Ok(rows.map(|rows| (columns.clone(), rows)))
    }

    async fn short_road(
        &self,
        context: &Arc<QueryContext>,
        kept: &Kept,
        parameters: &[ScalarValue],
    ) -> Result<Option<Vec<RecordBatch>>> {
        let Some(road) = kept.road(context).filter(|road| road.takes(parameters)) else {
            return Ok(None);
        };
        match road.is_light() {
            true => road.run(context, parameters, None).await,
            false => self.travel(road, context, (parameters.to_vec(), None)).await,
        }
    }

    /// Runs a road here, or on the compute threads where it may take its time.
    async fn travel(
        &self,
        road: &Arc<Road>,
        context: &Arc<QueryContext>,
        (parameters, rows): (Vec<ScalarValue>, Option<RecordBatch>),
    ) -> Result<Option<Vec<RecordBatch>>> {
        if road.is_light() {
            return road.run(context, &parameters, rows).await;
        }
        let (road, context) = (Arc::clone(road), Arc::clone(context));
        self.compute_soon(async move { road.run(&context, &parameters, rows).await }).await
    }
}

impl Prepared {
    fn keep(&self, kept: &Arc<Kept>) {
        // What is over a snapshot would keep its files.
        if kept.is_free() {
            *self.kept.lock() = Some(Arc::clone(kept));
        }
    }
}

fn same_columns(before: Option<&[Column]>, now: Option<&[Column]>) -> Result<()> {
    let types = |columns: Option<&[Column]>| {
        columns.map(|columns| columns.iter().map(|one| one.pg_type.oid).collect::<Vec<_>>())
    };
    match types(before) == types(now) {
        true => Ok(()),
        false => {
            let mut error = Error::new("0A000", "cached plan must not change result type");
            // asyncpg prepares anew when it reads this name, and gives up otherwise.
            error.object.routine = Some("RevalidateCachedQuery");
            Err(error)
        }
    }
}

/// The plan with its scans and functions over another statement, or over none; `false`: it has rows
/// in it that are of its statement only.
fn moved(
    plan: LogicalPlan,
    context: Option<&Arc<QueryContext>>,
) -> DataFusionResult<(LogicalPlan, bool)> {
    let mut whole = true;
    let moved = plan.transform_up_with_subqueries(|node| {
        let node = match node {
            LogicalPlan::TableScan(scan) => {
                let provider = source_as_provider(&scan.source)?;
                let snapshot = context.map(|context| &context.snapshot);
                let provider = provider.as_ref();
                let moved = moved_to(provider, snapshot);
                let moved = moved.or_else(|| customers::moved_to(provider, snapshot));
                let moved = moved.or_else(|| recommend::moved_to(provider, context));
                let listings = context.map(|context| &context.listings);
                let moved = moved.or_else(|| foreign_moved_to(provider, listings));
                let Some(provider) = moved else {
                    whole = false;
                    return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
                };
                let source = provider_as_source(provider);
                LogicalPlan::TableScan(TableScan { source, ..scan })
            }
            other => functions::calls::moved_call(&other, context).unwrap_or(other),
        };
        node.map_expressions(|expr| {
            expr.transform_up(|expr| match expr {
                Expr::ScalarFunction(call) => Ok(match functions::rebind(&call.func, context) {
                    Some(func) => Transformed::yes(Expr::ScalarFunction(ScalarFunction {
                        func,
                        args: call.args,
                    })),
                    None => Transformed::no(Expr::ScalarFunction(call)),
                }),
                other => Ok(Transformed::no(other)),
            })
        })
    })?;
    Ok((moved.data, whole))
}
