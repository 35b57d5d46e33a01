//! `segments.preview(definition, budget)`: how many a definition has, before it is a segment.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_udfs::functions::behaviour::timeline::microseconds;
use clientele_udfs::input::{Context, parse};
use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use sqlparser::ast::{Ident, Query, TableAlias, TableFactor};

use super::definition;
use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::QueryContext;
use crate::planning::{inline, output_names};
use crate::sql;
use crate::sql::template::{Part, filled};

/// Its name.
pub(crate) const NAME: &str = "segments.preview";

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("size", PgType::INT8),
    ("exact", PgType::BOOL),
    ("low", PgType::INT8),
    ("high", PgType::INT8),
    ("sample_size", PgType::INT8),
    ("sample_share", PgType::FLOAT8),
    ("members", PgType::plain(1016)),
];

/// One customer in so many is in the sample.
pub(super) const SAMPLE_OF: u32 = 100;

/// The plan of a call, from the texts of its arguments.
pub(crate) fn plan(
    context: &Arc<QueryContext>,
    arguments: &[Option<String>],
    planner: &mut dyn RelationPlannerContext,
) -> DataFusionResult<LogicalPlan> {
    let external = |error: Error| DataFusionError::External(Box::new(error));
    let [Some(defined), budget] = arguments else {
        return Err(external(Error::new("22004", "definition must not be null")));
    };
    let budget = parse(PgType::INTERVAL, budget.as_deref(), &Context::default())?;
    let budget_us = microseconds("budget", &budget)?;
    let defined = definition::of_text(defined).map_err(external)?;
    let mut plan = |condition: &str| {
        let query = members(context, &defined, condition).map_err(external)?;
        let name = Ident::new("members");
        planner.plan(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias: Some(TableAlias { explicit: true, name, columns: vec![], at: None }),
            sample: None,
        })
    };
    let all = plan("")?;
    let sample = plan(&format!("AND bucket({{}}, 'preview', {SAMPLE_OF}) = 0"))?;
    let fields = COLUMNS.iter().map(|(name, pg_type)| pg_type.field(name, true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let schema = Arc::new(DFSchema::try_from(schema)?);
    let node = Size { all, sample, budget_us, schema };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

/// Who is in, each once.
fn members(context: &Arc<QueryContext>, defined: &Query, condition: &str) -> Result<Query> {
    let subject = definition::subject(defined);
    let condition = condition.replace("{}", subject);
    let template = format!(
        "SELECT {subject} FROM \"<all>\" AS every_row \
         WHERE {subject} IS NOT NULL {condition} GROUP BY {subject}"
    );
    let mut query = filled(&template, &[("all", Part::Query(defined))])?;
    functions::place_queries(&mut query, context)?;
    output_names::name_outputs(&mut query, output_names::Beside::Marked);
    inline::inline(context, &mut query)?;
    sql::rewrite::rewrite(&mut query)?;
    Ok(query)
}

/// The size of one input, or what another one says about it.
#[derive(Debug, Clone)]
pub(super) struct Size {
    all: LogicalPlan,
    sample: LogicalPlan,
    pub(super) budget_us: i64,
    schema: DFSchemaRef,
}

impl PartialEq for Size {
    fn eq(&self, other: &Self) -> bool {
        (&self.all, &self.sample, self.budget_us) == (&other.all, &other.sample, other.budget_us)
    }
}

impl Eq for Size {}

impl Hash for Size {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.all, &self.sample, self.budget_us).hash(state);
    }
}

impl PartialOrd for Size {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.all.partial_cmp(&other.all)
    }
}

impl UserDefinedLogicalNodeCore for Size {
    fn name(&self) -> &'static str {
        "Size"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.all, &self.sample]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Size: budget={} ms, sample=1/{SAMPLE_OF}", self.budget_us / 1000)
    }

    fn with_exprs_and_inputs(
        &self,
        _: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        let Ok([all, sample]) = <[LogicalPlan; 2]>::try_from(inputs) else {
            return Err(DataFusionError::Internal("Size has two inputs".to_owned()));
        };
        Ok(Self { all, sample, ..self.clone() })
    }
}
