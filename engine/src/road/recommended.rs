//! What a recommender has for the customer whom a filter names.

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::Filter;

use super::compile::Compiler;
use super::expression::{Expression, Values};
use super::key::{equalities, key_value, of_type, scan_below};
use crate::error::Result;
use crate::recommend;

/// A recommender, and the customer with the type of that column.
pub(super) struct Recommended {
    relation: Arc<Relation>,
    customer: Expression,
    data_type: DataType,
    schema: SchemaRef,
}

impl Recommended {
    /// Of a filter over a recommender with an equality for its first column, the customer.
    pub(super) fn compile(filter: &Filter, compiler: &Compiler<'_>) -> Option<Self> {
        let scan = scan_below(&filter.input)?;
        let provider = source_as_provider(&scan.source).ok()?;
        let relation = Arc::clone(recommend::relation(provider.as_ref())?);
        let schema = provider.schema();
        let data_type = schema.fields().first()?.data_type().clone();
        let equalities = equalities(&filter.predicate, filter.input.schema());
        let mut named = equalities.into_iter().filter(|(position, _)| *position == 0);
        let customer = named.find_map(|(_, expr)| key_value(expr, &data_type, compiler))?;
        Some(Self { relation, customer, data_type, schema })
    }

    /// The rows of the customer.
    pub(super) async fn rows(&self, values: &Values<'_>) -> Result<RecordBatch> {
        match of_type(self.customer.value(values)?, &self.data_type) {
            Some(customer) => {
                let customers = customer.to_array()?;
                recommend::rows_of(values.context, &self.relation, (&customers, &self.schema)).await
            }
            // NULL equals nobody, and a number that is too large is nobody's.
            None => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
        }
    }
}
