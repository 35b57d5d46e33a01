//! The treatment of a derived column follows its inputs: what a materialized view or a table made
//! of a query holds is treated as strictly as the columns that it was computed from.
//!
//! Counts say nothing of a value, nor does a condition in WHERE: who makes the view decides what it
//! selects. A column that is passed on keeps its namespace, so that pseudonyms stay joinable.

use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Masking;
use clientele_catalog::privacy::{ColumnPrivacy, Treatment, treatment};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::hide;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::needs::origin;

/// Aggregates and window functions whose result tells how many or in which place, and no value.
const COUNTS: [&str; 8] =
    ["count", "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "grouping"];

/// Gives the columns of a relation that a plan fills the treatments of what they are made of.
/// Columns that somebody has decided about stay as they are.
///
/// # Errors
/// None in practice.
pub(crate) fn derive(
    context: &QueryContext,
    plan: &LogicalPlan,
    relation: &mut Relation,
) -> Result<()> {
    let found = of_plan(context, plan).map_err(|error| Error::from_datafusion(&error))?;
    let before = relation.clone();
    let live = relation.columns.iter_mut().filter(|column| !column.dropped);
    for (column, derived) in live.zip(found) {
        let decided = column.privacy.as_ref().is_some_and(|one| one.decision.is_some());
        let own = treatment(context.catalog(), &before, column);
        let stricter = derived.masking.strictness() > own.masking.strictness();
        if !decided && stricter {
            let Treatment { masking, namespace, category } = derived;
            let derived = ColumnPrivacy::derived(masking, namespace, category);
            column.privacy = Some(Box::new(derived.with_rest_of(column.privacy.as_deref())));
        }
    }
    Ok(())
}

/// Gives generated columns the treatment of the columns that they are generated from.
///
/// # Errors
/// 42601 for an expression that cannot be read.
pub(crate) fn generated(context: &QueryContext, relation: &mut Relation) -> Result<()> {
    let before = relation.clone();
    for column in relation.columns.iter_mut().filter(|one| !one.dropped && one.subject.is_none()) {
        let Some(expression) = &column.generated else { continue };
        let names = hide::names(&crate::sql::parse::expression(expression)?);
        let read = before.live_columns().filter(|one| names.contains(&one.name));
        let read = read.map(|one| treatment(context.catalog(), &before, one));
        let Treatment { masking, namespace, category } = strictest(read);
        let own = treatment(context.catalog(), &before, column).masking;
        if masking.strictness() > own.strictness() {
            let derived = ColumnPrivacy::derived(masking, namespace, category);
            column.privacy = Some(Box::new(derived.with_rest_of(column.privacy.as_deref())));
        }
    }
    Ok(())
}

/// The treatment of each output of a plan.
fn of_plan(context: &QueryContext, plan: &LogicalPlan) -> DataFusionResult<Vec<Treatment>> {
    let width = plan.schema().fields().len();
    Ok(match plan {
        LogicalPlan::TableScan(scan) => {
            let fields = scan.projected_schema.fields().iter();
            fields.map(|field| of_origin(context, field)).collect()
        }
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => vec![Treatment::OPEN; width],
        LogicalPlan::Projection(node) => {
            let inputs = Inputs::of(context, plan)?;
            node.expr.iter().map(|expr| inputs.expr(expr)).collect::<DataFusionResult<_>>()?
        }
        LogicalPlan::Aggregate(node) => {
            let inputs = Inputs::of(context, plan)?;
            let exprs = node.group_expr.iter().chain(&node.aggr_expr);
            let found =
                exprs.map(|expr| inputs.expr(expr)).collect::<DataFusionResult<Vec<_>>>()?;
            // Grouping sets have other outputs than expressions.
            if found.len() == width { found } else { vec![strictest(found); width] }
        }
        LogicalPlan::Window(node) => {
            let inputs = Inputs::of(context, plan)?;
            let mut found: Vec<Treatment> = inputs.fields.iter().map(|(_, one)| *one).collect();
            for expr in &node.window_expr {
                found.push(inputs.expr(expr)?);
            }
            found
        }
        LogicalPlan::SubqueryAlias(node) => of_plan(context, &node.input)?,
        LogicalPlan::Subquery(node) => of_plan(context, &node.subquery)?,
        LogicalPlan::RecursiveQuery(node) => of_plan(context, &node.static_term)?,
        LogicalPlan::Union(node) => {
            let inputs: Vec<Vec<Treatment>> =
                node.inputs.iter().map(|one| of_plan(context, one)).collect::<Result<_, _>>()?;
            let place = |at: usize| strictest(inputs.iter().filter_map(|one| one.get(at)).copied());
            (0..width).map(place).collect()
        }
        other => {
            let inputs = Inputs::of(context, other)?;
            inputs.passed_on(other.schema())
        }
    })
}

fn of_origin(context: &QueryContext, field: &datafusion::arrow::datatypes::Field) -> Treatment {
    let Some((relation, number)) = origin(field) else { return Treatment::OPEN };
    let relation = context.catalog().relation_by_oid(relation);
    let column = relation.and_then(|one| Some((one, one.column_by_number(number)?)));
    column.map_or(Treatment::OPEN, |(relation, column)| {
        treatment(context.catalog(), relation, column)
    })
}

fn strictest(treatments: impl IntoIterator<Item = Treatment>) -> Treatment {
    let all = treatments.into_iter();
    all.max_by_key(|one| one.masking.strictness()).unwrap_or(Treatment::OPEN)
}

/// What goes into a node: each column with its treatment.
struct Inputs<'a> {
    context: &'a QueryContext,
    fields: Vec<(datafusion::common::Column, Treatment)>,
}

impl<'a> Inputs<'a> {
    fn of(context: &'a QueryContext, plan: &LogicalPlan) -> DataFusionResult<Self> {
        let mut fields = Vec::new();
        for input in plan.inputs() {
            fields.extend(input.schema().columns().into_iter().zip(of_plan(context, input)?));
        }
        Ok(Self { context, fields })
    }

    fn column(&self, column: &datafusion::common::Column) -> Option<Treatment> {
        let named = |(one, _): &&(datafusion::common::Column, Treatment)| {
            one.name == column.name
                && (column.relation.is_none() || one.relation == column.relation)
        };
        let mut found = self.fields.iter().filter(named).map(|(_, one)| *one).peekable();
        found.peek().is_some().then(|| strictest(found))
    }

    /// Outputs that are inputs of the same name; what has none is as strict as all of them.
    fn passed_on(&self, schema: &DFSchema) -> Vec<Treatment> {
        let all = || strictest(self.fields.iter().map(|(_, one)| *one));
        schema.columns().iter().map(|one| self.column(one).unwrap_or_else(all)).collect()
    }

    fn expr(&self, expr: &Expr) -> DataFusionResult<Treatment> {
        let mut found = Vec::new();
        expr.apply(|part| {
            Ok(match part {
                Expr::AggregateFunction(call) if counts(call.func.name()) => {
                    TreeNodeRecursion::Jump
                }
                Expr::WindowFunction(call) if counts(call.fun.name()) => TreeNodeRecursion::Jump,
                // Whether there is a value shows in its pseudonym, too.
                Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                    let inner = self.expr(inner)?;
                    found.extend((inner.masking == Masking::Null).then_some(inner));
                    TreeNodeRecursion::Jump
                }
                Expr::Column(column) => {
                    found.extend(self.column(column));
                    TreeNodeRecursion::Continue
                }
                Expr::OuterReferenceColumn(field, _) => {
                    found.push(of_origin(self.context, field));
                    TreeNodeRecursion::Continue
                }
                Expr::ScalarSubquery(query) => {
                    found.extend(of_plan(self.context, &query.subquery)?);
                    TreeNodeRecursion::Continue
                }
                _ => TreeNodeRecursion::Continue,
            })
        })?;
        Ok(strictest(found))
    }
}

fn counts(name: &str) -> bool {
    COUNTS.contains(&name)
}
