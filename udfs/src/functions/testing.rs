//! Runs a function call written in SQL and compares its text with PostgreSQL's answer.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Cast, Expr};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::ValueError;
use crate::input::{Context, parse};
use crate::types::PgType;

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
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata)
            if i32::try_from(value).is_ok() =>
        {
            Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value as i32)), metadata))
        }
        // DATE '…' and its like, read as PostgreSQL reads them.
        Expr::Cast(cast) => match (*cast.expr, cast.field.data_type()) {
            (Expr::Literal(ScalarValue::Utf8(text), metadata), data_type) => {
                let context = Context { time_zone: chrono_tz::Europe::Paris, ..Context::default() };
                let value = parse(PgType::from_arrow(data_type), text.as_deref(), &context)?;
                Transformed::yes(Expr::Literal(value, metadata))
            }
            (inner, _) => Transformed::no(Expr::Cast(Cast { expr: Box::new(inner), ..cast })),
        },
        other => Transformed::no(other),
    })
}

fn evaluate(sql: &str) -> Result<(ArrayRef, FieldRef), DataFusionError> {
    let context = context();
    let schema = DFSchema::empty();
    let expression = context.state().create_logical_expr(sql, &schema)?;
    let expression = expression.transform_up(literal)?.data;
    // Only the state of a started query tells functions the session's settings.
    let expression = context.state().create_physical_expr(expression, &schema)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
    let field = expression.return_field(&one.schema())?;
    Ok((expression.evaluate(&one)?.into_array(1)?, field))
}

/// As a client sees values: booleans are `t` and `f`.
fn shown(array: &ArrayRef, pg_type: PgType) -> Vec<String> {
    let texts = super::strings::text::texts(array, pg_type, "Europe/Paris").unwrap();
    let shown = texts.into_iter().map(|text| match text.as_deref() {
        Some("true") if pg_type == PgType::BOOL => "t".to_owned(),
        Some("false") if pg_type == PgType::BOOL => "f".to_owned(),
        text => text.unwrap_or("NULL").to_owned(),
    });
    shown.collect()
}

/// Each call has the text that PostgreSQL prints; `NULL` stands for NULL.
#[track_caller]
pub(crate) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(sql, expected)| match evaluate(sql) {
            Ok((array, field)) => {
                let found = shown(&array, PgType::from_field(&field)).pop().unwrap();
                (found != *expected).then(|| format!("{sql}: {found}, not {expected}"))
            }
            Err(error) => Some(format!("{sql}: {error}, not {expected}")),
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Each set-returning call has these rows.
#[track_caller]
pub(crate) fn check_rows(cases: &[(&str, &[&str])]) {
    for (sql, expected) in cases {
        let (array, field) = evaluate(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let DataType::List(item) = field.data_type() else { panic!("{sql}: {field}") };
        let rows = array.as_list::<i32>().value(0);
        assert_eq!(shown(&rows, PgType::from_field(item)), *expected, "{sql}");
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

/// Each aggregate query has this one row.
#[track_caller]
pub(crate) fn check_query(cases: &[(&str, &str, &[&str])]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (select, from, expected) in cases {
        let sql = format!("select {select} from {from}");
        let context = context();
        for udaf in super::aggregates() {
            context.register_udaf(udaf.as_ref().clone());
        }
        for udwf in super::windows::all() {
            context.register_udwf(udwf.as_ref().clone());
        }
        let batches = runtime.block_on(async {
            let plan = context.state().create_logical_plan(&sql).await?;
            context.execute_logical_plan(plan).await?.collect().await
        });
        let batches = batches.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
        let schema = batch.schema();
        let columns = batch.columns().iter().zip(schema.fields());
        let found: Vec<_> =
            columns.flat_map(|(array, field)| shown(array, PgType::from_field(field))).collect();
        assert_eq!(found, *expected, "{sql}");
    }
}
