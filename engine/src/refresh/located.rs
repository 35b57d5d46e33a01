//! Rows of some customers, and where they are.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{ROW_ADDRESS, RowAddress};
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use roaring::RoaringBitmap;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// Which rows are wanted.
pub(crate) struct Located<'a> {
    /// The relation.
    pub(crate) relation: &'a Arc<Relation>,
    /// Whose column of customers counts.
    pub(crate) subject: Subject,
    /// Rows of these customers; `None`: of all.
    pub(crate) customers: Option<&'a RoaringBitmap>,
    /// Rows of nobody, too.
    pub(crate) nobody: bool,
    /// Other conditions.
    pub(crate) conditions: Vec<Expr>,
    /// Columns that are wanted beside.
    pub(crate) columns: &'a [&'a str],
}

impl Located<'_> {
    /// The rows: the customer, the columns, the address.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) async fn rows(
        self,
        session: &Session,
        context: &Arc<QueryContext>,
    ) -> Result<Vec<RecordBatch>> {
        let provider = context.store.table_provider(&context.snapshot, self.relation, true);
        let column = |name: &str| Expr::Column(Column::new(Some("located"), name));
        let key = column(self.subject.column());
        let mut scan = LogicalPlanBuilder::scan("located", provider_as_source(provider), None)?;
        for condition in self.conditions {
            scan = scan.filter(condition)?;
        }
        let columns = self.columns.iter().map(|name| column(name));
        let plan = std::iter::once(key).chain(columns).chain([column(ROW_ADDRESS)]);
        let plan = scan.project(plan.collect::<Vec<_>>())?.build()?;
        let mut rows = Vec::new();
        for batch in session.collect(context, plan).await? {
            let wanted = wanted(&batch, self.customers, self.nobody);
            rows.push(filter_record_batch(&batch, &wanted).map_err(Error::internal)?);
        }
        Ok(rows)
    }
}

fn wanted(batch: &RecordBatch, customers: Option<&RoaringBitmap>, nobody: bool) -> BooleanArray {
    let Some(numbers) = batch.column(0).as_primitive_opt::<Int64Type>() else {
        return BooleanArray::from(vec![false; batch.num_rows()]);
    };
    let wanted = |one: Option<i64>| match one.and_then(|one| u32::try_from(one).ok()) {
        None => Some(nobody),
        Some(one) => Some(customers.is_none_or(|customers| customers.contains(one))),
    };
    numbers.iter().map(wanted).collect()
}

/// The addresses of such rows.
pub(crate) fn addresses(batch: &RecordBatch) -> Vec<RowAddress> {
    let last = batch.columns().last().and_then(|last| last.as_primitive_opt::<Int64Type>());
    let numbers = last.map(|last| last.values().to_vec()).unwrap_or_default();
    numbers.into_iter().map(RowAddress::from_i64).collect()
}
