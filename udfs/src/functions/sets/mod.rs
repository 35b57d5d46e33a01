//! Functions that return sets (manual, 9.25 and others).
//!
//! Each is declared once, with a kernel that returns an array of rows. From it come the scalar
//! function (`unnest(f(x))` gives the rows) and [`SetReturning`], the table form.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};
use std::sync::Arc;

use super::function::Function;
use super::value::internal;
use crate::Result;

pub mod options;
pub mod partitions;
pub mod series;

/// All of them that belong to no other chapter.
pub fn functions() -> Vec<Function> {
    [options::functions(), partitions::functions(), series::functions()].concat()
}

/// A set-returning function as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetReturning {
    /// Name of the function, and of its only column unless it declares columns.
    pub name: &'static str,
}

/// All functions that return a set.
pub fn set_returning() -> Vec<SetReturning> {
    let mut names: Vec<_> = super::DECLARED
        .iter()
        .filter(|function| function.signatures.iter().any(|signature| signature.returns_set))
        .map(|function| function.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| SetReturning { name }).collect()
}

/// Name of the only column of a function that returns a set: an `OUT` parameter's, else its own.
pub fn set_column(name: &str) -> &str {
    super::DECLARED
        .iter()
        .find(|function| function.name == name)
        .and_then(|function| function.signatures.first()?.columns.first()?.name)
        .unwrap_or(name)
}

impl SetReturning {
    /// The columns for arguments of these types.
    ///
    /// # Errors
    /// `function … does not exist` (42883).
    pub fn columns(&self, arguments: &[FieldRef]) -> datafusion::error::Result<Vec<FieldRef>> {
        let udf = super::by_name(self.name).ok_or_else(|| internal(self.name))?;
        let constants = vec![None; arguments.len()];
        let args = ReturnFieldArgs { arg_fields: arguments, scalar_arguments: &constants };
        let field = udf.return_field_from_args(args)?;
        Ok(columns_of(set_column(self.name), field.data_type()))
    }

    /// The rows for these arguments.
    ///
    /// # Errors
    /// What the function says.
    pub fn rows(
        &self,
        arguments: &[(ScalarValue, FieldRef)],
        options: &Arc<ConfigOptions>,
    ) -> datafusion::error::Result<RecordBatch> {
        let udf = super::by_name(self.name).ok_or_else(|| internal(self.name))?;
        let arg_fields: Vec<_> = arguments.iter().map(|(_, field)| Arc::clone(field)).collect();
        let constants: Vec<_> = arguments.iter().map(|(value, _)| Some(value)).collect();
        let return_field = udf.return_field_from_args(ReturnFieldArgs {
            arg_fields: &arg_fields,
            scalar_arguments: &constants,
        })?;
        let columns = columns_of(set_column(self.name), return_field.data_type());
        let args =
            arguments.iter().map(|(value, _)| ColumnarValue::Scalar(value.clone())).collect();
        let result = udf.invoke_with_args(ScalarFunctionArgs {
            args,
            arg_fields,
            number_rows: 1,
            return_field,
            config_options: Arc::clone(options),
        })?;
        let rows = result.into_array(1)?;
        Ok(batch(&rows, columns)?)
    }
}

fn columns_of(name: &str, list: &DataType) -> Vec<FieldRef> {
    let DataType::List(item) = list else { return vec![] };
    match item.data_type() {
        DataType::Struct(fields) => fields.iter().cloned().collect(),
        data_type => {
            let field =
                Field::new(name, data_type.clone(), true).with_metadata(item.metadata().clone());
            vec![Arc::new(field)]
        }
    }
}

fn batch(rows: &ArrayRef, columns: Vec<FieldRef>) -> Result<RecordBatch> {
    let list = rows.as_list_opt::<i32>().ok_or_else(|| internal("a list expected"))?;
    let schema = Arc::new(Schema::new(columns));
    if list.is_null(0) {
        return Ok(RecordBatch::new_empty(schema));
    }
    let values = list.value(0);
    let arrays = match values.as_struct_opt() {
        Some(rows) => rows.columns().to_vec(),
        None => vec![values],
    };
    RecordBatch::try_new(schema, arrays).map_err(internal)
}
