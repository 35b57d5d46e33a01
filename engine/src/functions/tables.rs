//! Table functions: found by name, called with constant arguments, positional or named.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// Field metadata key of the one column of a function that returns a set of plain values.
pub const SCALAR_RESULT_KEY: &str = "scalar_result";

/// Arguments with their names.
pub(super) type Arguments = Vec<(Option<String>, ScalarValue)>;

/// A table function.
pub type TableFunction = Box<dyn Fn(&QueryContext, Arguments) -> Result<RecordBatch>>;

/// The table function of that name.
pub fn table_function(name: &str) -> Option<TableFunction> {
    if let Some(function) = super::declared::call(name) {
        return Some(Box::new(function));
    }
    let set =
        clientele_udfs::functions::set_returning().into_iter().find(|one| one.name == name)?;
    Some(Box::new(move |context, arguments| {
        let mut values = Vec::with_capacity(arguments.len());
        for (label, value) in arguments {
            if let Some(label) = label {
                let text = format!("function {} has no argument named \"{label}\"", set.name);
                return Err(Error::new("42883", text));
            }
            let pg_type = match &value {
                ScalarValue::Utf8(_) | ScalarValue::Null => PgType::UNKNOWN,
                value => PgType::from_arrow(&value.data_type()),
            };
            let field = Field::new("", value.data_type(), true).with_metadata(pg_type.metadata());
            values.push((value, Arc::new(field)));
        }
        let batch = set.rows(&values, context.state.config_options()).map_err(Error::from)?;
        if batch.num_columns() != 1 || batch.schema().field(0).name() != set.name {
            return Ok(batch);
        }
        let mut field = batch.schema().field(0).clone();
        let mut metadata = field.metadata().clone();
        metadata.insert(SCALAR_RESULT_KEY.to_owned(), "true".to_owned());
        field.set_metadata(metadata);
        let schema = Arc::new(Schema::new(vec![field]));
        RecordBatch::try_new(schema, batch.columns().to_vec()).map_err(Error::internal)
    }))
}
