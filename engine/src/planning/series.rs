//! Long series of whole numbers in FROM: the rows of `generate_series` are made as they are read,
//! never all at once.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use crate::functions::SCALAR_RESULT_KEY;

const NAME: &str = "generate_series";

/// Series of up to so many rows are a table, whose size the optimizer knows.
const TABLE_ROWS_MAX: i128 = 1 << 16;

/// The plan of such a call: `generate_series(1, 1000000)`. `None` for every other call: short ones,
/// other types, NULL, a step of 0, another function.
///
/// # Errors
/// DataFusion refuses a plan.
pub(super) fn plan(
    name: &str,
    arguments: &[(Option<String>, ScalarValue)],
) -> Result<Option<LogicalPlan>> {
    let (true, Some(numbers)) = (name == NAME, whole_numbers(arguments)) else { return Ok(None) };
    let (start, end, step) = match numbers.as_slice() {
        [start, end] => (*start, *end, 1),
        [start, end, step] if *step != 0 => (*start, *end, *step),
        _ => return Ok(None),
    };
    if (i128::from(end) - i128::from(start)) / i128::from(step) < TABLE_ROWS_MAX {
        return Ok(None);
    }
    let small = |(_, value): &(_, ScalarValue)| matches!(value, ScalarValue::Int32(_));
    let pg_type = if arguments.iter().all(small) { PgType::INT4 } else { PgType::INT8 };
    let schema = Arc::new(Schema::new(vec![Field::new(NAME, DataType::Int64, false)]));
    let args = GenSeriesArgs::Int64Args { start, end, step, include_end: true, name: NAME };
    let source = provider_as_source(Arc::new(GenerateSeriesTable::new(schema, args)));
    let mut metadata = pg_type.metadata();
    metadata.insert(SCALAR_RESULT_KEY.to_owned(), "true".to_owned());
    let field = Field::new(NAME, pg_type.arrow(), false).with_metadata(metadata);
    let value = Box::new(Expr::Column(Column::from_qualified_name(format!("{NAME}.{NAME}"))));
    let value = Expr::Cast(Cast::new_from_field(value, Arc::new(field)));
    LogicalPlanBuilder::scan(NAME, source, None)?
        .project([value.alias(NAME)])?
        .alias(NAME)?
        .build()
        .map(Some)
}

fn whole_numbers(arguments: &[(Option<String>, ScalarValue)]) -> Option<Vec<i64>> {
    let number = |(label, value): &(Option<String>, ScalarValue)| match (label, value) {
        (None, ScalarValue::Int32(Some(value))) => Some(i64::from(*value)),
        (None, ScalarValue::Int64(Some(value))) => Some(*value),
        _ => None,
    };
    arguments.iter().map(number).collect()
}
