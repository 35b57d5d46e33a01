//! `EXPLAIN [ANALYZE]` (manual: sql-explain): DataFusion's physical plan as `QUERY PLAN`.

use std::sync::Arc;
use std::time::Instant;

use clientele_udfs::types::PgType;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use serde_json::json;

use super::setting::text_rows;
use crate::api::{Column, Outcome};
use crate::error::{Error, Result};
use crate::planning;
use crate::session::{Session, physical};
use crate::sql::{Body, Explain};

/// The one column.
pub(super) fn column(explain: &Explain) -> Column {
    let pg_type = if explain.json { PgType::JSON } else { PgType::TEXT };
    Column { name: "QUERY PLAN".to_owned(), pg_type, table: 0, number: 0 }
}

/// Runs an EXPLAIN.
pub(super) async fn execute(session: &mut Session, explain: &Explain) -> Result<Outcome> {
    let query = match explain.statement.body.as_ref() {
        Body::Query(query) => query.as_ref().clone(),
        _ => return Err(Error::unsupported("EXPLAIN of a statement that is not a query")),
    };
    let context = session.context().await?;
    let (analyze, verbose) = (explain.analyze, explain.verbose);
    let source = Arc::clone(&explain.statement.source);
    let lines = session.compute(async move {
        let begun = Instant::now();
        let planned =
            planning::plan_query(&context, query, &[]).map_err(|error| error.in_source(&source))?;
        let plan = physical(&context, &planned.plan).await?;
        let planning = begun.elapsed();
        let mut rows = 0;
        let begun = Instant::now();
        if analyze {
            let mut stream = execute_stream(Arc::clone(&plan), context.state.task_ctx())?;
            while let Some(batch) = stream.next().await {
                rows += batch?.num_rows();
            }
        }
        let shown = match analyze {
            true => DisplayableExecutionPlan::with_metrics(plan.as_ref()),
            false => DisplayableExecutionPlan::new(plan.as_ref()),
        };
        let mut lines: Vec<String> = shown
            .indent(verbose)
            .to_string()
            .lines()
            .map(|line| planning::output_names::shown_line(line))
            .collect();
        if analyze {
            lines.push(format!("Planning Time: {:.3} ms", planning.as_secs_f64() * 1000.0));
            lines.push(format!("Execution Time: {:.3} ms", begun.elapsed().as_secs_f64() * 1000.0));
            lines.push(format!("Rows Returned: {rows}"));
        }
        Ok((lines, nodes(plan.as_ref())))
    });
    let (lines, tree) = lines.await?;
    let rows: Vec<Vec<String>> = match explain.json {
        true => vec![vec![json!([{ "Plan": tree }]).to_string()]],
        false => lines.into_iter().map(|line| vec![line]).collect(),
    };
    text_rows(vec![column(explain)], &rows, "EXPLAIN")
}

/// The plan as the tree that PostgreSQL's viewers draw.
fn nodes(plan: &dyn ExecutionPlan) -> serde_json::Value {
    let children: Vec<_> = plan.children().iter().map(|child| nodes(child.as_ref())).collect();
    let mut node = json!({ "Node Type": plan.name() });
    if let (Some(object), false) = (node.as_object_mut(), children.is_empty()) {
        object.insert("Plans".to_owned(), children.into());
    }
    node
}
