//! A materialized view before its first refresh: it has columns, so that other views can be made
//! over it, and no rows to read (manual: sql-creatematerializedview, WITH NO DATA).

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use crate::error::Error;

/// Its columns, and the refusal to read it.
#[derive(Debug)]
pub(crate) struct Unpopulated {
    name: String,
    rows: Arc<dyn TableProvider>,
}

impl Unpopulated {
    /// The view of that name, with the provider of the rows that it will have.
    pub(crate) fn new(name: &str, rows: Arc<dyn TableProvider>) -> Self {
        Self { name: name.to_owned(), rows }
    }
}

#[async_trait]
impl TableProvider for Unpopulated {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let text = format!("materialized view \"{}\" has not been populated", self.name);
        let error =
            Error::new("55000", text).with_hint("Use the REFRESH MATERIALIZED VIEW command.");
        Err(DataFusionError::External(Box::new(error)))
    }
}
