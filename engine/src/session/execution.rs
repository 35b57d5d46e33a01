//! Running plans: on the engine's own threads, stopped at once by cancel and timeout.
//!
//! The session's task waits; the work is a task of the compute runtime that is aborted when the
//! session stops waiting. DataFusion yields between batches; the client is answered without
//! waiting for that.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::shared::{SessionShared, StopReason};
use super::{Prepared, Session};
use crate::api::{BatchStream, Outcome, Rows, RowsTag};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs;
use crate::sql::place::Source;
use crate::sql::{Body, Statement};
use crate::statement;

/// Batches that may wait for the client, so that results stream in constant memory.
const BATCHES_WAITING: usize = 2;

/// SQLSTATE of a statement that needs more memory than there is for statements.
const OUT_OF_MEMORY: &str = "53200";

/// Stops the present statement after a time; 0: never.
pub(super) fn arm_timeout(engine: &Arc<Engine>, shared: &Arc<SessionShared>, timeout_ms: u64) {
    let (token, Ok(cpu)) = (shared.token(), engine.cpu()) else { return };
    if timeout_ms == 0 {
        return;
    }
    let serial = shared.serial();
    let shared = Arc::downgrade(shared);
    cpu.spawn(async move {
        tokio::select! {
            () = token.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(timeout_ms)) => {
                // Only the statement that armed the timer may be stopped by it.
                if let Some(shared) = shared.upgrade() {
                    shared.stop_statement(serial, StopReason::Timeout);
                }
            }
        }
    });
}

/// A task that ends with its owner.
struct Owned<T>(JoinHandle<T>);

impl<T> Owned<Result<T>> {
    /// Waits for its end.
    async fn done(mut self) -> Result<T> {
        match (&mut self.0).await {
            Ok(result) => result,
            Err(failure) => Err(panicked(&failure)),
        }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Rows whose errors point into the statement's text.
pub(super) fn located(rows: Rows, source: Arc<Source>) -> Rows {
    let located = move |batch: Result<RecordBatch>| batch.map_err(|error| error.in_source(&source));
    Rows { stream: Box::pin(rows.stream.map(located)), ..rows }
}

impl Session {
    /// Runs work on the compute threads until it is done or the statement is stopped.
    ///
    /// # Errors
    /// 57014 when stopped; XX000 when the work panics.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.compute_on(&self.engine.cpu()?, work).await
    }

    /// As [`Session::compute`], for work of milliseconds: it waits for no plan that runs.
    ///
    /// # Errors
    /// As [`Session::compute`].
    pub(crate) async fn compute_soon<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.compute_on(&self.engine.planning()?, work).await
    }

    async fn compute_on<T: Send + 'static>(
        &self,
        threads: &Handle,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let token = self.shared.token();
        let mut task = Owned(threads.spawn(work));
        tokio::select! {
            biased;
            () = token.cancelled() => Err(self.shared.stop_error()),
            done = &mut task.0 => match done {
                Ok(result) => result,
                Err(failure) => Err(panicked(&failure)),
            },
        }
    }

    /// Runs a query; its rows stream.
    pub(super) async fn run_query(
        &mut self,
        prepared: &Prepared,
        parameters: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let context = self.context().await?;
        let kept = self.kept(prepared, &context).await?;
        let stream = self.row_stream(&context, &kept, parameters).await?;
        let columns = kept.planned.columns.clone();
        Ok(Outcome::Rows(Rows { columns, stream, tag: RowsTag::Counted("SELECT") }))
    }

    /// Runs a part of a statement: a query over `context`, with what earlier parts have returned.
    ///
    /// # Errors
    /// What it does wrong.
    pub(crate) async fn run_part(
        &mut self,
        context: &Arc<QueryContext>,
        (body, whole, parameters): (Body, &Prepared, Vec<ScalarValue>),
    ) -> Result<Outcome> {
        let declared: Vec<_> = whole.parameters.iter().copied().map(Some).collect();
        if matches!(body, Body::Query(_)) {
            let context = context.giving(&self.given);
            return self.run_query_over(&context, Arc::new(body), (declared, parameters)).await;
        }
        let body = Arc::new(body);
        let now = self.context().await?;
        let (columns, kept) = self.plan_anew(Arc::clone(&body), declared.clone(), &now).await?;
        let part = Prepared {
            statement: Statement { body, ..whole.statement.clone() },
            parameters: whole.parameters.clone(),
            declared,
            columns,
            kept: Arc::new(Mutex::new(kept)),
        };
        Box::pin(statement::execute(self, &part, parameters)).await
    }

    /// Plans and starts a query over a snapshot.
    pub(super) async fn run_query_over(
        &self,
        context: &Arc<QueryContext>,
        body: Arc<Body>,
        (declared, parameters): (Vec<Option<PgType>>, Vec<ScalarValue>),
    ) -> Result<Outcome> {
        let (_, kept) = self.plan_anew(body, declared, context).await?;
        let kept = kept.ok_or_else(|| Error::internal("a query without a plan"))?;
        needs::check(context, &kept.planned.needs)?;
        let stream = self.row_stream(context, &kept, parameters).await?;
        let columns = kept.planned.columns.clone();
        Ok(Outcome::Rows(Rows { columns, stream, tag: RowsTag::Counted("SELECT") }))
    }

    /// Starts a plan; the first batch, or an error before it, comes with the stream.
    pub(crate) async fn stream(
        &self,
        context: &Arc<QueryContext>,
        plan: LogicalPlan,
    ) -> Result<BatchStream> {
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let context = Arc::clone(context);
        let task = Owned(self.engine.cpu()?.spawn(async move {
            if let Err(error) = pump(&context, &plan, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        }));
        let token = self.shared.token();
        let shared = Arc::clone(&self.shared);
        let cancelled = Box::pin(token.clone().cancelled_owned());
        Ok(Box::pin(Batches { receiver, task: Some(task), token, shared, cancelled, ended: false }))
    }

    /// Runs a plan to its end and returns its batches.
    pub(crate) async fn collect(
        &self,
        context: &Arc<QueryContext>,
        plan: LogicalPlan,
    ) -> Result<Vec<RecordBatch>> {
        let mut stream = self.stream(context, plan).await?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}

/// Optimizes, plans physically, and sends the batches.
async fn pump(
    context: &Arc<QueryContext>,
    plan: &LogicalPlan,
    sender: &mpsc::Sender<Result<RecordBatch>>,
) -> Result<()> {
    let planned = {
        let (context, plan) = (Arc::clone(context), plan.clone());
        let planning = context.engine.planning()?;
        Owned(planning.spawn(async move { physical(&context, &plan).await }))
    };
    let physical = planned.done().await?;
    let holds_a_side = holds_a_side(&physical);
    let failed = match send(context.state.task_ctx(), physical, sender).await {
        Err(failed) if failed.error.sqlstate == OUT_OF_MEMORY && !failed.sent && holds_a_side => {
            failed
        }
        done => return done.map_err(|failed| failed.error),
    };
    tracing::info!(error = %failed.error.message, "a join is tried again so that it can spill");
    let mut state = context.timed_state();
    state.config_mut().options_mut().optimizer.prefer_hash_join = false;
    let physical = state.create_physical_plan(plan).await?;
    send(state.task_ctx(), physical, sender).await.map_err(|failed| failed.error)
}

/// Hash joins keep one side in memory and cannot spill; sort-merge joins can.
fn holds_a_side(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.name() == "HashJoinExec" || plan.children().into_iter().any(holds_a_side)
}

struct Failed {
    error: Error,
    /// Whether the client has rows already.
    sent: bool,
}

async fn send(
    task: Arc<TaskContext>,
    physical: Arc<dyn ExecutionPlan>,
    sender: &mpsc::Sender<Result<RecordBatch>>,
) -> Result<(), Failed> {
    let mut sent = false;
    let failed = |error: Error, sent| Failed { error, sent };
    let stream = execute_stream(physical, task);
    let mut stream = stream.map_err(|error| failed(error.into(), sent))?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| failed(error.into(), sent))?;
        if batch.num_rows() > 0 {
            sent = true;
            if sender.send(Ok(batch)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The physical plan.
///
/// # Errors
/// What the optimizer refuses, constant expressions that fail included.
pub(crate) async fn physical(
    context: &QueryContext,
    plan: &LogicalPlan,
) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(context.timed_state().create_physical_plan(plan).await?)
}

/// Runs a plan while another one is made: table functions have their rows by then.
///
/// # Errors
/// What the plan does wrong.
pub(crate) fn collect_while_planning(
    context: &Arc<QueryContext>,
    plan: &LogicalPlan,
) -> Result<Vec<RecordBatch>> {
    let cpu = context.engine.cpu()?;
    let run = async {
        let plan = physical(context, plan).await?;
        let batches = datafusion::physical_plan::collect(plan, context.state.task_ctx()).await?;
        Ok::<_, Error>(batches)
    };
    // Planning is no place to wait in: another thread does, and this one's other tasks move on.
    let wait = || std::thread::scope(|scope| scope.spawn(|| cpu.block_on(run)).join());
    tokio::task::block_in_place(wait)
        .map_err(|_| Error::internal("a query could not be computed"))?
}

fn panicked(failure: &tokio::task::JoinError) -> Error {
    if failure.is_panic() {
        tracing::error!("a statement's task panicked");
        return Error::internal("the statement failed in an unexpected way");
    }
    Error::fatal("57P01", "terminating connection due to administrator command")
}

/// The batches of a running plan. Dropping it aborts the plan.
struct Batches {
    receiver: mpsc::Receiver<Result<RecordBatch>>,
    task: Option<Owned<()>>,
    token: CancellationToken,
    shared: Arc<SessionShared>,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl Stream for Batches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.token.is_cancelled() || self.cancelled.as_mut().poll(context).is_ready() {
            self.ended = true;
            self.task = None;
            return Poll::Ready(Some(Err(self.shared.stop_error())));
        }
        let next = match self.receiver.poll_recv(context) {
            Poll::Ready(next) => next,
            Poll::Pending => return Poll::Pending,
        };
        if next.is_some() {
            return Poll::Ready(next);
        }
        // The channel also closes when the task panics: that must not look like the end of the rows.
        let Some(task) = self.task.as_mut() else { return Poll::Ready(None) };
        match Pin::new(&mut task.0).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                self.ended = true;
                Poll::Ready(None)
            }
            Poll::Ready(Err(failure)) => {
                self.ended = true;
                Poll::Ready(Some(Err(panicked(&failure))))
            }
        }
    }
}
