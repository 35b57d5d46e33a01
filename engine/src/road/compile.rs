//! Plan → road.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{
    Expr, FetchType, Filter, Limit, LogicalPlan, Projection, SkipType, Sort, TableScan, Values,
};

use super::expression::{Expression, Parameter};
use super::key::Key;
use super::{Road, Source, Step};
use crate::planning::Planned;
use crate::planning::context::QueryContext;

/// Rows of VALUES up to which a road is worth it: DataFusion's planner costs as much as some
/// hundred rows.
const ROWS_MAX: usize = 64;

impl Road {
    /// The road of a plan; `None` when it has to take the long one.
    pub(crate) fn compile(planned: &Planned, context: &Arc<QueryContext>) -> Option<Self> {
        Self::new(planned, context, false)
    }

    /// The road of a query over rows in memory, which come with each execution.
    pub(crate) fn over_rows(planned: &Planned, context: &Arc<QueryContext>) -> Option<Self> {
        planned.parameters.is_empty().then(|| Self::new(planned, context, true)).flatten()
    }

    fn new(planned: &Planned, context: &Arc<QueryContext>, given: bool) -> Option<Self> {
        let compiler = Compiler { parameters: &planned.parameters, context, given };
        let (source, steps) = compiler.node(&planned.plan)?;
        let light = source.is_light() && steps.iter().all(Step::is_light);
        let parameters = planned.parameters.iter().map(|one| Parameter::new(*one)).collect();
        Some(Self { source, steps, parameters, light })
    }
}

impl Source {
    fn is_light(&self) -> bool {
        match self {
            Self::Nothing | Self::Given => true,
            Self::Constants(rows, _) => rows.iter().flatten().all(|one| one.light),
            Self::Key(key) => key.is_light(),
        }
    }
}

impl Step {
    fn is_light(&self) -> bool {
        match self {
            Self::Filter(condition) => condition.light,
            Self::Project(exprs, _) => exprs.iter().all(|one| one.light),
        }
    }
}

/// Compiles one plan.
pub(super) struct Compiler<'a> {
    parameters: &'a [PgType],
    context: &'a Arc<QueryContext>,
    /// Rows in memory come with each execution.
    given: bool,
}

impl Compiler<'_> {
    fn node(&self, plan: &LogicalPlan) -> Option<(Source, Vec<Step>)> {
        match plan {
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input),
            LogicalPlan::Projection(one) => self.projection(one),
            LogicalPlan::Filter(one) => self.filter(one),
            LogicalPlan::Sort(one) => self.sort(one),
            LogicalPlan::Limit(one) => self.limit(one),
            LogicalPlan::Values(one) => self.values(one),
            LogicalPlan::TableScan(one) => self.rows(one),
            LogicalPlan::EmptyRelation(one) if one.produce_one_row => {
                Some((Source::Nothing, Vec::new()))
            }
            _ => None,
        }
    }

    fn projection(&self, projection: &Projection) -> Option<(Source, Vec<Step>)> {
        let (source, mut steps) = self.node(&projection.input)?;
        let input = projection.input.schema();
        let exprs = projection.expr.iter().map(|expr| self.expression(expr, input));
        let exprs = exprs.collect::<Option<Vec<_>>>()?;
        let schema = output(&projection.schema, &exprs);
        steps.push(Step::Project(exprs, schema));
        Some((source, steps))
    }

    fn filter(&self, filter: &Filter) -> Option<(Source, Vec<Step>)> {
        let condition = self.expression(&filter.predicate, filter.input.schema())?;
        let (source, mut steps) = match Key::compile(filter, self) {
            Some(key) => (Source::Key(key), Vec::new()),
            None => self.node(&filter.input)?,
        };
        steps.push(Step::Filter(condition));
        Some((source, steps))
    }

    /// The order of one row.
    fn sort(&self, sort: &Sort) -> Option<(Source, Vec<Step>)> {
        let plain = sort.expr.iter().all(|one| matches!(one.expr, Expr::Column(_)));
        let found = self.node(&sort.input)?;
        (plain && sort.fetch.is_none() && found.0.has_one_row()).then_some(found)
    }

    /// One row is within any limit but 0.
    fn limit(&self, limit: &Limit) -> Option<(Source, Vec<Step>)> {
        let all = matches!(limit.get_skip_type(), Ok(SkipType::Literal(0)));
        let some = match limit.get_fetch_type() {
            Ok(FetchType::Literal(fetch)) => fetch != Some(0),
            _ => false,
        };
        let found = self.node(&limit.input)?;
        (all && some && found.0.has_one_row()).then_some(found)
    }

    fn values(&self, values: &Values) -> Option<(Source, Vec<Step>)> {
        if values.values.is_empty() || values.values.len() > ROWS_MAX {
            return None;
        }
        let nothing = DFSchema::empty();
        let row = |row: &Vec<Expr>| {
            row.iter().map(|cell| self.expression(cell, &nothing)).collect::<Option<Vec<_>>>()
        };
        let rows = values.values.iter().map(row).collect::<Option<Vec<_>>>()?;
        let schema = output(&values.schema, rows.first()?);
        Some((Source::Constants(rows, schema), Vec::new()))
    }

    fn rows(&self, scan: &TableScan) -> Option<(Source, Vec<Step>)> {
        let whole = scan.projection.is_none() && scan.fetch.is_none() && scan.filters.is_empty();
        let in_memory = source_as_provider(&scan.source).ok()?.is::<MemTable>();
        (self.given && whole && in_memory).then(|| (Source::Given, Vec::new()))
    }

    /// Compiles an expression over the columns of a schema.
    pub(super) fn expression(&self, expr: &Expr, input: &DFSchema) -> Option<Expression> {
        Expression::compile(expr.clone(), input, (self.parameters, self.context))
    }
}

impl Source {
    fn has_one_row(&self) -> bool {
        match self {
            Self::Nothing | Self::Key(_) => true,
            Self::Constants(rows, _) => rows.len() == 1,
            Self::Given => false,
        }
    }
}

/// The schema of what expressions yield, under the names of the plan.
fn output(schema: &DFSchema, exprs: &[Expression]) -> SchemaRef {
    let fields = schema.fields().iter().zip(exprs).map(|(field, expr)| {
        let data_type = expr.data_type.clone();
        Field::new(field.name(), data_type, true).with_metadata(field.metadata().clone())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
