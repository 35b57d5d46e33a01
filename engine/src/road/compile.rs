//! Plan → road.

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{
    Aggregate, Expr, FetchType, Filter, Limit, LogicalPlan, Projection, SkipType, Sort, TableScan,
    Values,
};

use super::aggregation::Aggregation;
use super::expression::{Expression, Parameter};
use super::indexed::Indexed;
use super::key::Key;
use super::recommended::Recommended;
use super::{Road, SortKey, Source, Step, Window};
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
        let (mut source, steps) = compiler.node(&planned.plan)?;
        if let Source::Index(indexed) = &mut source {
            // More rows are asked for until there are enough: steps may be taken again.
            let again = !steps.iter().any(Step::is_volatile);
            if !again || !indexed.has_index() {
                return None;
            }
            if let Some(columns) = looked_at(&steps) {
                indexed.look_at(columns);
            }
        }
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
            Self::Index(indexed) => indexed.is_light(),
            // The model may have to be made first.
            Self::Recommended(_) => false,
        }
    }
}

impl Step {
    fn is_light(&self) -> bool {
        match self {
            Self::Filter(condition) => condition.light,
            Self::Project(exprs, _) => exprs.iter().all(|one| one.light),
            Self::Aggregate(_) | Self::Sort(_) => true,
            Self::Limit(limit) => limit.expressions().all(|one| one.light),
        }
    }

    fn is_volatile(&self) -> bool {
        match self {
            Self::Filter(condition) => condition.volatile,
            Self::Project(exprs, _) => exprs.iter().any(|one| one.volatile),
            Self::Aggregate(_) | Self::Sort(_) => false,
            Self::Limit(limit) => limit.expressions().any(|one| one.volatile),
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
            LogicalPlan::Aggregate(one) => self.aggregate(one),
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
        let types = exprs.iter().map(|expr| expr.data_type.clone());
        let schema = output(&projection.schema, types);
        steps.push(Step::Project(exprs, schema));
        Some((source, steps))
    }

    fn filter(&self, filter: &Filter) -> Option<(Source, Vec<Step>)> {
        let condition = self.expression(&filter.predicate, filter.input.schema())?;
        let (mut source, mut steps) = match Key::compile(filter, self) {
            Some(key) => (Source::Key(key), Vec::new()),
            None => match Recommended::compile(filter, self) {
                Some(one) => (Source::Recommended(one), Vec::new()),
                None => self.node(&filter.input)?,
            },
        };
        // Directly above the table: what stands between may keep rows from this filter.
        if let (Source::Index(indexed), []) = (&mut source, steps.as_slice()) {
            indexed.narrow(&filter.predicate, filter.input.schema(), self);
        }
        steps.push(Step::Filter(condition));
        Some((source, steps))
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Option<(Source, Vec<Step>)> {
        let (source, mut steps) = self.node(&aggregate.input)?;
        let counted = matches!(source, Source::Key(_) | Source::Index(_));
        let aggregation = Aggregation::compile(aggregate, self).filter(|_| counted)?;
        steps.extend(aggregation);
        Some((source, steps))
    }

    fn sort(&self, sort: &Sort) -> Option<(Source, Vec<Step>)> {
        let (source, mut steps) = self.node(&sort.input)?;
        let keys = sort.expr.iter().map(|one| {
            let Expr::Column(column) = &one.expr else { return None };
            let at = sort.input.schema().maybe_index_of_column(column)?;
            Some(SortKey { at, ascending: one.asc, nulls_first: one.nulls_first })
        });
        let keys = keys.collect::<Option<Vec<_>>>().filter(|_| sort.fetch.is_none())?;
        match &source {
            Source::Index(_)
                if !steps.iter().any(|step| matches!(step, Step::Sort(_) | Step::Limit(_))) =>
            {
                steps.push(Step::Sort(keys));
                Some((source, steps))
            }
            one => one.has_one_row().then_some((source, steps)),
        }
    }

    fn limit(&self, limit: &Limit) -> Option<(Source, Vec<Step>)> {
        let (mut source, mut steps) = self.node(&limit.input)?;
        let Source::Index(indexed) = &mut source else { return self.limit_of_one(limit) };
        if steps.iter().any(|step| matches!(step, Step::Limit(_))) {
            return None;
        }
        let nothing = DFSchema::empty();
        let count = |expr: &Option<Box<Expr>>| match expr {
            None => Some(None),
            Some(expr) => self.expression(expr, &nothing).map(Some),
        };
        let (skip, fetch) = (count(&limit.skip)?, count(&limit.fetch)??);
        indexed.order = order_of(&steps).and_then(|columns| indexed.ordered_by(&columns));
        steps.push(Step::Limit(Window { skip, fetch }));
        Some((source, steps))
    }

    /// One row is within any limit but 0.
    fn limit_of_one(&self, limit: &Limit) -> Option<(Source, Vec<Step>)> {
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
        let types = rows.first()?.iter().map(|expr| expr.data_type.clone());
        let schema = output(&values.schema, types);
        Some((Source::Constants(rows, schema), Vec::new()))
    }

    fn rows(&self, scan: &TableScan) -> Option<(Source, Vec<Step>)> {
        let whole = scan.projection.is_none() && scan.fetch.is_none() && scan.filters.is_empty();
        let in_memory = source_as_provider(&scan.source).ok()?.is::<MemTable>();
        match (self.given, whole) {
            (true, true) if in_memory => Some((Source::Given, Vec::new())),
            (false, true) => Some((Source::Index(Indexed::compile(scan)?), Vec::new())),
            _ => None,
        }
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
            Self::Given | Self::Index(_) | Self::Recommended(_) => false,
        }
    }
}

/// The columns of the source that steps look at; `None`: perhaps all.
fn looked_at(steps: &[Step]) -> Option<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    for step in steps {
        match step {
            Step::Filter(condition) => found.extend(condition.columns()),
            Step::Project(exprs, _) => {
                found.extend(exprs.iter().flat_map(Expression::columns));
                return Some(found);
            }
            Step::Sort(keys) => found.extend(keys.iter().map(|key| key.at)),
            Step::Limit(_) => {}
            Step::Aggregate(_) => return None,
        }
    }
    None
}

/// The columns of the source that the last sort is by, with their directions.
fn order_of(steps: &[Step]) -> Option<Vec<(usize, bool, bool)>> {
    if steps.iter().any(|step| matches!(step, Step::Aggregate(_))) {
        return None;
    }
    let at = steps.iter().position(|step| matches!(step, Step::Sort(_)))?;
    let (Some(Step::Sort(keys)), before) = (steps.get(at), steps.get(..at)?) else { return None };
    let origin = |key: &SortKey| {
        let through = before.iter().rev().try_fold(key.at, |at, step| match step {
            Step::Project(exprs, _) => exprs.get(at)?.column(),
            _ => Some(at),
        });
        Some((through?, key.ascending, key.nulls_first))
    };
    keys.iter().map(origin).collect()
}

/// The schema of what expressions yield, under the names of the plan.
pub(super) fn output(schema: &DFSchema, types: impl Iterator<Item = DataType>) -> SchemaRef {
    let fields = schema.fields().iter().zip(types).map(|(field, data_type)| {
        Field::new(field.name(), data_type, true).with_metadata(field.metadata().clone())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
