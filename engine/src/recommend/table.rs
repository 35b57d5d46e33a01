//! A recommender as DataFusion sees it: a relation of customer, rank, item, score, source.

use std::sync::Arc;

use async_trait::async_trait;
use clientele_catalog::definition::Relation;
use clientele_catalog::storage::provider_schema;
use clientele_recommend::Many;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{StreamExt, stream};

use super::kept::Kept;
use super::rows::{self, CUSTOMERS_AT_ONCE};
use crate::error::Error;
use crate::functions::calls::{Batches, Make, Part, RowsExec};
use crate::planning::context::QueryContext;

/// Customers up to which each is asked for; for more, all are as good.
const CUSTOMERS_MAX: usize = 1024;

/// The relation in a statement, or in none.
pub(super) struct Recommendations {
    context: Option<Arc<QueryContext>>,
    relation: Arc<Relation>,
    schema: SchemaRef,
}

impl Recommendations {
    pub(super) fn new(context: Option<&Arc<QueryContext>>, relation: &Arc<Relation>) -> Self {
        Self {
            context: context.map(Arc::clone),
            relation: Arc::clone(relation),
            schema: provider_schema(relation, false),
        }
    }

    pub(super) fn relation(&self) -> &Arc<Relation> {
        &self.relation
    }

    /// The customers that conditions leave; `None`: any.
    fn customers(&self, filters: &[Expr]) -> Option<ArrayRef> {
        let column = self.schema.fields().first()?;
        let conditions = filters.iter().flat_map(split_conjunction);
        let values = conditions.filter_map(|one| one_of(one, column.name())).next()?;
        let values: Vec<_> = values.into_iter().filter(|one| !one.is_null()).collect();
        if values.is_empty() || values.len() > CUSTOMERS_MAX {
            return None;
        }
        let values = values.into_iter().map(|one| one.cast_to(column.data_type()).ok());
        ScalarValue::iter_to_array(values.collect::<Option<Vec<_>>>()?).ok()
    }
}

impl std::fmt::Debug for Recommendations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recommendations").field("relation", &self.relation.oid).finish()
    }
}

/// `column = value` or `column IN (…)`.
fn one_of<'a>(condition: &'a Expr, name: &str) -> Option<Vec<&'a ScalarValue>> {
    let value = |expr: &'a Expr| match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    };
    let is_it = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == name);
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let other = match (is_it(left), is_it(right)) {
                (true, _) => right,
                (_, true) => left,
                _ => return None,
            };
            Some(vec![value(other)?])
        }
        Expr::InList(list) if !list.negated && is_it(&list.expr) => {
            list.list.iter().map(value).collect()
        }
        // DataFusion writes a short list as a chain of OR.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut values = one_of(left, name)?;
            values.extend(one_of(right, name)?);
            Some(values)
        }
        _ => None,
    }
}

/// What is recommended, to whom.
struct Task {
    context: Arc<QueryContext>,
    relation: Arc<Relation>,
    /// `None`: to everybody.
    customers: Option<ArrayRef>,
    /// All columns of the relation.
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
}

impl Task {
    async fn run(self: Arc<Self>, part: Part) -> Result<Batches, Error> {
        if let Some(customers) = &self.customers {
            let batch = rows_of(&self.context, &self.relation, (customers, &self.schema)).await;
            let batch = self.projected(batch?);
            return Ok(stream::iter([batch]).boxed());
        }
        let kept = Kept::of(&self.context, &self.relation).await?;
        let request = rows::request(&kept.definition, kept.model.histories.latest());
        let count = kept.model.histories.len();
        let many = Many::new(&kept.model, request);
        let starts =
            (part.number * CUSTOMERS_AT_ONCE..count).step_by(part.count.max(1) * CUSTOMERS_AT_ONCE);
        let batches = starts.map(move |start| {
            let range = start..(start + CUSTOMERS_AT_ONCE).min(count);
            let batch = rows::of_range(&kept, &many, range, &self.schema)?;
            self.projected(batch)
        });
        Ok(stream::iter(batches).boxed())
    }

    fn projected(&self, batch: RecordBatch) -> Result<RecordBatch, Error> {
        match &self.projection {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        }
    }
}

/// The rows of some customers, of all columns of a recommender.
///
/// # Errors
/// What its query refuses.
pub(crate) async fn rows_of(
    context: &Arc<QueryContext>,
    relation: &Relation,
    (customers, schema): (&ArrayRef, &SchemaRef),
) -> Result<RecordBatch, Error> {
    let kept = Kept::of(context, relation).await?;
    let request = rows::request(&kept.definition, kept.model.histories.latest());
    let live = kept.live(context, relation, customers).await?;
    let asked = rows::distinct(&kept, customers)?;
    rows::of_customers(&kept, &request, (&asked, live.as_ref()), schema)
}

#[async_trait]
impl TableProvider for Recommendations {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = datafusion::physical_plan::project_schema(&self.schema, projection)?;
        let Some(context) = &self.context else { return Ok(Arc::new(EmptyExec::new(schema))) };
        let customers = self.customers(filters);
        let partitions = match customers {
            Some(_) => 1,
            None => state.config().target_partitions().max(1),
        };
        let label = match &customers {
            Some(customers) => format!("{}, customers={}", self.relation.name, customers.len()),
            None => self.relation.name.clone(),
        };
        let task = Arc::new(Task {
            context: Arc::clone(context),
            relation: Arc::clone(&self.relation),
            customers,
            schema: Arc::clone(&self.schema),
            projection: projection.cloned(),
        });
        let make: Arc<Make> = Arc::new(move |part| Box::pin(Arc::clone(&task).run(part)));
        Ok(Arc::new(RowsExec::new(label, (schema, partitions), Vec::new(), make)))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
