//! Runs a function call written in SQL and compares its text with PostgreSQL's answer.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::ValueError;

fn context() -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().execution.time_zone = Some("Europe/Paris".to_owned());
    config.options_mut().sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
    let context = SessionContext::new_with_config(config);
    for udf in super::all() {
        context.register_udf(udf.as_ref().clone());
    }
    context
}

/// Literals as the engine types them: a number without point is `int4` where it fits.
fn literal(expression: Expr) -> Result<Transformed<Expr>, DataFusionError> {
    Ok(match expression {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) if i32::try_from(value).is_ok() => {
            Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value as i32)), metadata))
        }
        other => Transformed::no(other),
    })
}

fn evaluate(sql: &str) -> Result<Option<String>, DataFusionError> {
    let context = context();
    let schema = DFSchema::empty();
    let expression = context.state().create_logical_expr(sql, &schema)?;
    let expression = expression.transform_up(literal)?.data;
    let expression = context.create_physical_expr(expression, &schema)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
    let field = expression.return_field(&one.schema())?;
    let array = expression.evaluate(&one)?.into_array(1)?;
    Ok(text(&array, &field))
}

fn text(array: &ArrayRef, field: &datafusion::arrow::datatypes::Field) -> Option<String> {
    super::strings::text::texts(array, crate::types::PgType::from_field(field), "Europe/Paris").unwrap().pop().flatten()
}

/// Each call has the text that PostgreSQL prints; `NULL` stands for NULL.
#[track_caller]
pub(crate) fn check(cases: &[(&str, &str)]) {
    for (sql, expected) in cases {
        let found = evaluate(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(found.as_deref().unwrap_or("NULL"), *expected, "{sql}");
    }
}

/// Each call fails with PostgreSQL's SQLSTATE and message.
#[track_caller]
pub(crate) fn check_errors(cases: &[(&str, &str, &str)]) {
    for (sql, sqlstate, message) in cases {
        let error = evaluate(sql).expect_err(sql);
        let DataFusionError::External(error) = error.find_root() else { panic!("{sql}: {error}") };
        let error: &ValueError = error.downcast_ref().unwrap();
        assert_eq!((error.sqlstate, error.message.as_str()), (*sqlstate, *message), "{sql}");
    }
}
