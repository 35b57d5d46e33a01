//! `EXPLAIN [ANALYZE]` (manual: sql-explain): DataFusion's physical plan as `QUERY PLAN`; above it,
//! for statements that write, what is done with its rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_udfs::types::PgType;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;
use serde_json::json;
use sqlparser::ast;

use super::setting::text_rows;
use super::{Described, prepare};
use crate::api::{Column, Outcome};
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::QueryContext;
use crate::session::{Prepared, Session, physical};
use crate::sql::{Body, Explain, Statement};

/// The one column.
pub(super) fn column(explain: &Explain) -> Column {
    let pg_type = if explain.json { PgType::JSON } else { PgType::TEXT };
    Column { name: "QUERY PLAN".to_owned(), pg_type, table: 0, number: 0 }
}

/// Runs an EXPLAIN.
pub(super) async fn execute(
    session: &mut Session,
    explain: &Explain,
    given: (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    let context = telling_no_values(session.context().await?);
    let (statement, declared, values) = explained(session, &explain.statement, given).await?;
    let given = (declared.clone(), values.clone());
    if matches!(statement.body.as_ref(), Body::Refresh { .. }) {
        let line = "Utility statements have no plan structure".to_owned();
        return text_rows(vec![column(explain)], &[vec![line]], "EXPLAIN");
    }
    // A query runs here, so that its plan can tell what it did; anything else as it always does.
    let is_query = matches!(statement.body.as_ref(), Body::Query(_));
    let (analyze, verbose) = (explain.analyze, explain.verbose);
    let (body, source) = (Arc::clone(&statement.body), Arc::clone(&statement.source));
    let planned = session.compute(async move {
        let begun = Instant::now();
        let found = find_plan(&context, &body, &declared).map_err(|one| one.in_source(&source))?;
        let Some(planned) = found.planned else {
            return Err(Error::internal("a statement without a plan"));
        };
        let plan = planning::bind(planned.allowed(&context)?.plan, values)?;
        let plan = physical(&context, &plan).await?;
        let planning = begun.elapsed();
        let execution = match analyze && is_query {
            true => Some(run(&context, &plan).await?),
            false => None,
        };
        let write =
            found.target.map(|target| Write { name: verb(&body), table: target.name.clone() });
        Ok(Explained { plan, planning, execution, write })
    });
    let mut shown = planned.await?;
    if analyze && !is_query {
        shown.execution = Some(write(session, &statement, given).await?);
    }
    let rows: Vec<Vec<String>> = match explain.json {
        true => vec![vec![json!([{ "Plan": shown.tree() }]).to_string()]],
        false => shown.lines(verbose).into_iter().map(|line| vec![line]).collect(),
    };
    text_rows(vec![column(explain)], &rows, "EXPLAIN")
}

/// Joins show the bounds of their keys once they have run; a role may see the pseudonyms of these.
fn telling_no_values(context: Arc<QueryContext>) -> Arc<QueryContext> {
    if context.sees_clear() {
        return context;
    }
    let mut state = context.state.as_ref().clone();
    state.config_mut().options_mut().optimizer.enable_join_dynamic_filter_pushdown = false;
    Arc::new(QueryContext { state: Arc::new(state), ..context.as_ref().clone() })
}

/// The statement behind a cursor or a name, with the types and values of its parameters.
async fn explained(
    session: &mut Session,
    statement: &Statement,
    (given, values): (&Prepared, Vec<ScalarValue>),
) -> Result<(Statement, Vec<Option<PgType>>, Vec<ScalarValue>)> {
    Ok(match statement.body.as_ref() {
        Body::Declare { query, .. } => (query.as_ref().clone(), Vec::new(), Vec::new()),
        Body::Execute { name, arguments } => {
            let prepared = session.named(name)?;
            let values = prepare::arguments(session, &prepared, (name, arguments)).await?;
            let types = prepared.parameters().iter().copied().map(Some).collect();
            (prepared.statement().clone(), types, values)
        }
        _ => (statement.clone(), given.parameters().iter().copied().map(Some).collect(), values),
    })
}

/// The plan of the rows that a statement returns or writes.
fn find_plan(
    context: &Arc<QueryContext>,
    body: &Body,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let of_query = |query: &ast::Query| {
        let planned = planning::describe_query(context, query.clone(), declared)?;
        Ok(Described { planned: Some(planned), ..Described::default() })
    };
    match body {
        Body::Query(query) => of_query(query),
        Body::Other(other) => match other.as_ref() {
            ast::Statement::CreateTable(ast::CreateTable { query: Some(query), .. }) => {
                of_query(query)
            }
            ast::Statement::CreateView(view) if view.materialized => of_query(&view.query),
            ast::Statement::Insert(_)
            | ast::Statement::Update(_)
            | ast::Statement::Delete(_)
            | ast::Statement::Merge(_) => super::describe(context, body, declared),
            _ => Err(unexplained()),
        },
        _ => Err(unexplained()),
    }
}

fn unexplained() -> Error {
    Error::new(
        "42601",
        "EXPLAIN shows plans of SELECT, INSERT, UPDATE, DELETE, MERGE, EXECUTE, DECLARE, CREATE TABLE AS and CREATE MATERIALIZED VIEW only",
    )
}

fn verb(body: &Body) -> &'static str {
    let Body::Other(other) = body else { return "" };
    match other.as_ref() {
        ast::Statement::Insert(_) => "Insert",
        ast::Statement::Update(_) => "Update",
        ast::Statement::Delete(_) => "Delete",
        _ => "Merge",
    }
}

/// How long an execution took, and how many rows it gave.
struct Execution {
    time: Duration,
    rows: Option<usize>,
}

async fn run(context: &QueryContext, plan: &Arc<dyn ExecutionPlan>) -> Result<Execution> {
    let begun = Instant::now();
    let mut rows = 0;
    let mut stream = execute_stream(Arc::clone(plan), context.state.task_ctx())?;
    while let Some(batch) = stream.next().await {
        rows += batch?.num_rows();
    }
    Ok(Execution { time: begun.elapsed(), rows: Some(rows) })
}

/// Runs a statement that is no query, for its time.
async fn write(
    session: &mut Session,
    statement: &Statement,
    (declared, values): (Vec<Option<PgType>>, Vec<ScalarValue>),
) -> Result<Execution> {
    let prepared = Box::pin(session.prepare_declared(statement.clone(), declared)).await?;
    let begun = Instant::now();
    if let Outcome::Rows(mut rows) = Box::pin(session.execute(&prepared, values)).await? {
        while let Some(batch) = rows.stream.next().await {
            batch?;
        }
    }
    Ok(Execution { time: begun.elapsed(), rows: None })
}

/// What is done with the rows of a plan.
struct Write {
    name: &'static str,
    table: String,
}

struct Explained {
    plan: Arc<dyn ExecutionPlan>,
    planning: Duration,
    execution: Option<Execution>,
    write: Option<Write>,
}

impl Explained {
    fn lines(&self, verbose: bool) -> Vec<String> {
        let with_rows = self.execution.as_ref().is_some_and(|done| done.rows.is_some());
        let shown = match with_rows {
            true => DisplayableExecutionPlan::with_metrics(self.plan.as_ref()),
            false => DisplayableExecutionPlan::new(self.plan.as_ref()),
        };
        let head = self.write.as_ref().map(|write| format!("{} on {}", write.name, write.table));
        let indent = if head.is_some() { "  " } else { "" };
        let text = shown.indent(verbose).to_string();
        let plan = text.lines().map(planning::output_names::shown_line);
        let plan = plan.map(|line| format!("{indent}{line}"));
        let mut lines: Vec<String> = head.into_iter().chain(plan).collect();
        if let Some(done) = &self.execution {
            let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
            lines.push(format!("Planning Time: {:.3} ms", milliseconds(self.planning)));
            lines.push(format!("Execution Time: {:.3} ms", milliseconds(done.time)));
            lines.extend(done.rows.map(|rows| format!("Rows Returned: {rows}")));
        }
        lines
    }

    /// The tree that PostgreSQL's viewers draw.
    fn tree(&self) -> serde_json::Value {
        let rows = nodes(self.plan.as_ref());
        match &self.write {
            None => rows,
            Some(write) => json!({
                "Node Type": "ModifyTable",
                "Operation": write.name,
                "Relation Name": write.table,
                "Plans": [rows],
            }),
        }
    }
}

fn nodes(plan: &dyn ExecutionPlan) -> serde_json::Value {
    let children: Vec<_> = plan.children().iter().map(|child| nodes(child.as_ref())).collect();
    let mut node = json!({ "Node Type": plan.name() });
    if let (Some(object), false) = (node.as_object_mut(), children.is_empty()) {
        object.insert("Plans".to_owned(), children.into());
    }
    node
}
