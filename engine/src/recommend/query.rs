//! The query of a recommender: who bought what.

use std::sync::Arc;

use clientele_catalog::definition::{Relation, RelationKind};
use clientele_catalog::storage::Snapshot;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::common::{Column, ScalarValue};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::collect;

use super::definition::{Definition, Roles};
use super::read::{self, Customers, Gathered};
use super::seen::{Bought, Origin, Seen};
use crate::api;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::physical;
use crate::{planning, sql};

/// The query, planned with the rights of the recommender's owner.
pub(super) struct Query {
    pub(super) context: Arc<QueryContext>,
    pub(super) text: String,
    pub(super) options: Vec<(String, String)>,
    pub(super) definition: Definition,
    pub(super) plan: LogicalPlan,
    columns: Vec<api::Column>,
}

impl Query {
    /// Of a recommender, as a statement sees it.
    ///
    /// # Errors
    /// What the query refuses; 55000 before the first refresh.
    pub(super) fn of(context: &Arc<QueryContext>, relation: &Relation) -> Result<Self> {
        let text = text_of(relation)?;
        let options = relation.options.clone();
        Self::planned(&context.as_role(relation.owner), text.to_owned(), options)
    }

    fn planned(
        context: &Arc<QueryContext>,
        text: String,
        options: Vec<(String, String)>,
    ) -> Result<Self> {
        let planned = planning::plan_query(context, sql::parse::query(&text)?, &[])?;
        let definition = Definition::read(&options, &planned.columns)?;
        let (plan, columns) = (planned.plan, planned.columns);
        Ok(Self { context: Arc::clone(context), text, options, definition, plan, columns })
    }

    /// The same over other rows.
    ///
    /// # Errors
    /// None in practice: it was planned before.
    pub(super) fn over(&self, snapshot: Snapshot) -> Result<Self> {
        let snapshot = Arc::new(snapshot);
        let context = Arc::new(QueryContext { snapshot, ..self.context.as_ref().clone() });
        Self::planned(&context, self.text.clone(), self.options.clone())
    }

    /// The same of some customers.
    ///
    /// # Errors
    /// A value does not fit the column's type.
    pub(super) fn of_customers(mut self, customers: &ArrayRef) -> Result<Self> {
        let (qualifier, field) = self.plan.schema().qualified_field(self.definition.roles.customer);
        let column = Expr::Column(Column::from((qualifier, field)));
        let values = (0..customers.len()).map(|row| {
            let value = ScalarValue::try_from_array(customers, row)?.cast_to(field.data_type())?;
            Ok(lit(value))
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        let plan = LogicalPlanBuilder::from(self.plan).filter(column.in_list(values, false))?;
        self.plan = plan.build()?;
        Ok(self)
    }

    /// Its items, each with what another column says of it.
    ///
    /// # Errors
    /// 42703 for no such column.
    pub(super) fn of_items(mut self, name: &str) -> Result<Self> {
        let place =
            self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
                Error::new("42703", format!("column \"{name}\" does not exist"))
                    .with_detail("It is looked for in the query of the recommender.")
            })?;
        let columns = [self.definition.roles.item, place].map(|place| {
            let (qualifier, field) = self.plan.schema().qualified_field(place);
            Expr::Column(Column::from((qualifier, field))).alias(format!("column{place}"))
        });
        self.plan = LogicalPlanBuilder::from(self.plan).project(columns)?.distinct()?.build()?;
        Ok(self)
    }

    /// Its rows.
    ///
    /// # Errors
    /// What the query refuses.
    pub(super) async fn rows(&self) -> Result<Vec<RecordBatch>> {
        let plan = physical(&self.context, &self.plan).await?;
        Ok(collect(plan, self.context.state.task_ctx()).await?)
    }

    /// Its rows as purchases; customers who are known keep their numbers.
    ///
    /// # Errors
    /// What the query refuses.
    pub(super) async fn gather(&self, known: Option<&Customers>) -> Result<Gathered> {
        let plan = physical(&self.context, &self.plan).await?;
        let task = self.context.state.task_ctx();
        read::gather(plan, self.definition.roles, (task, known)).await
    }

    /// Room for what is made of it.
    pub(super) fn reservation(&self) -> MemoryReservation {
        let consumer = MemoryConsumer::new("recommender");
        consumer.register(&self.context.state.runtime_env().memory_pool)
    }

    /// What it reads, as the statement sees it.
    pub(super) fn seen(&self) -> Seen {
        Seen::of(&self.context, &self.plan, self.origin())
    }

    fn origin(&self) -> Option<Origin> {
        let Roles { customer, item, quantity, time } = self.definition.roles;
        let customer = self.columns.get(customer).filter(|column| column.number > 0)?;
        let of_table = |place: usize| {
            let column = self.columns.get(place)?;
            (column.table == customer.table && column.number > 0).then_some(column.number)
        };
        // Of a column that there is, the number must be known.
        let perhaps = |place: Option<usize>| match place {
            None => Some(None),
            Some(place) => of_table(place).map(Some),
        };
        let bought = || {
            let (quantity, time) = (perhaps(quantity)?, perhaps(time)?);
            Some(Bought { item: of_table(item)?, quantity, time })
        };
        let bought = if is_plain(&self.plan) { bought() } else { None };
        Some(Origin { table: customer.table, customer: customer.number, bought })
    }
}

/// Whether the rows of a plan are those of one table, as they are.
fn is_plain(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            let mut columns = projection.expr.iter();
            let is_column = |expr: &Expr| matches!(expr.clone().unalias(), Expr::Column(_));
            columns.all(is_column) && is_plain(&projection.input)
        }
        LogicalPlan::SubqueryAlias(alias) => is_plain(&alias.input),
        LogicalPlan::TableScan(scan) => scan.filters.is_empty() && scan.fetch.is_none(),
        _ => false,
    }
}

/// The text of a recommender's query.
///
/// # Errors
/// 55000 before the first refresh; 42809 for another relation.
pub(super) fn text_of(relation: &Relation) -> Result<&str> {
    match &relation.kind {
        RelationKind::MaterializedView { populated: false, .. } => Err(Error::new(
            "55000",
            format!("materialized view \"{}\" has not been populated", relation.name),
        )
        .with_hint("Use the REFRESH MATERIALIZED VIEW command.")),
        RelationKind::MaterializedView { query, .. } if relation.is_recommender() => Ok(query),
        _ => Err(Error::new("42809", format!("\"{}\" is not a recommender", relation.name))
            .with_hint("CREATE MATERIALIZED VIEW … USING recommender makes one.")),
    }
}
