//! `CALL consent.record_all(...)`: what a query says of many, as another system has collected it.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::scalar::ScalarValue;

use super::record::{Event, allowed, insert};
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, text};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::{handle, planning, sql};

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    schema: "consent",
    name: "record_all",
    parameters: &[Parameter { name: "query", pg_type: PgType::TEXT, default: None }],
    columns: &[("event_count", PgType::INT8)],
    comment: "records what a query says: columns subject and purpose, and those of consent.record that it has",
    kernel: |session, arguments| {
        Box::pin(async move { record_all(session, &arguments).await.map(Some) })
    },
};

/// Texts beside the purpose, in the order of [`Event::texts`].
const TEXTS: [&str; 4] = ["channel", "text_version_hash", "source", "evidence"];
/// The other columns that are read.
const OTHERS: [&str; 4] = ["subject", "purpose", "granted", "occurred_at"];

async fn record_all(session: &mut Session, arguments: &[ScalarValue]) -> Result<RecordBatch> {
    session.writable("CALL")?;
    let context = session.context().await?;
    allowed(&context)?;
    let query = text(arguments, 0);
    let query = query.ok_or_else(|| Error::new("22004", "query must not be null"))?;
    let query = sql::parse::query(query)?;
    let planning_context = Arc::clone(&context);
    let plan = async move { planning::plan_query(&planning_context, query, &[]) };
    let planned = session.compute(plan).await?;
    let named = |name: &str| planned.columns.iter().any(|one| one.name == name);
    let other = planned
        .columns
        .iter()
        .find(|one| !OTHERS.contains(&one.name.as_str()) && !TEXTS.contains(&one.name.as_str()));
    if let Some(other) = other {
        let known = OTHERS.iter().chain(&TEXTS).copied().collect::<Vec<_>>().join(", ");
        let text = format!("column \"{}\" of the query is nothing to record", other.name);
        return Err(Error::new("42703", text).with_hint(format!("Columns are {known}.")));
    }
    if !named("subject") || !named("purpose") {
        return Err(Error::new("42703", "the query needs columns subject and purpose")
            .with_hint("A subject is namespace:value, as in 'email:' || email."));
    }
    let names: Vec<String> = planned.columns.iter().map(|one| one.name.clone()).collect();
    let batches = session.collect(&context, planned.plan).await?;
    let mut events = Vec::new();
    for batch in &batches {
        read(&context, &names, batch, &mut events)?;
    }
    insert(session, &context, &events).await?;
    let count: ArrayRef = Arc::new(Int64Array::from_iter([i64::try_from(events.len()).ok()]));
    RecordBatch::try_from_iter([("event_count", count)]).map_err(Error::internal)
}

fn read(
    context: &QueryContext,
    names: &[String],
    batch: &RecordBatch,
    events: &mut Vec<Event>,
) -> Result<()> {
    let column = |name: &str, pg_type: PgType| {
        let place = names.iter().position(|one| one == name);
        let array = place.map(|place| cast(batch.column(place), &pg_type.arrow()));
        array.transpose().map_err(|_| {
            let text = format!("column \"{name}\" must be of type {}", pg_type.sql_name());
            Error::new("42804", text)
        })
    };
    let text = |array: &Option<ArrayRef>, row: usize| {
        let array = array.as_ref().and_then(|one| one.as_string_view_opt());
        array.filter(|one| one.is_valid(row)).map(|one| one.value(row).to_owned())
    };
    let subjects = column("subject", PgType::TEXT)?;
    let purposes = column("purpose", PgType::TEXT)?;
    let granted = column("granted", PgType::BOOL)?;
    let times = column("occurred_at", PgType::TIMESTAMPTZ)?;
    let texts = TEXTS.map(|name| column(name, PgType::TEXT));
    let [channel, version, source, evidence] = texts;
    let texts = [channel?, version?, source?, evidence?];
    let now = Utc::now().timestamp_micros();
    for row in 0..batch.num_rows() {
        let fail =
            |error: Error| error.with_detail(format!("Row {} of the query.", events.len() + 1));
        let null = |name: &str| fail(Error::new("22004", format!("{name} must not be null")));
        let subject = text(&subjects, row).ok_or_else(|| null("subject"))?;
        let purpose = text(&purposes, row).ok_or_else(|| null("purpose"))?;
        let granted = match granted.as_ref().and_then(|one| one.as_boolean_opt()) {
            None => true,
            Some(one) if one.is_valid(row) => one.value(row),
            Some(_) => return Err(null("granted")),
        };
        let at = times.as_ref().and_then(|one| one.as_primitive_opt::<TimestampMicrosecondType>());
        let at = at.filter(|one| one.is_valid(row)).map(|one| one.value(row));
        let found = handle::find(context, &subject).map_err(fail)?;
        if found.subject != Subject::Person {
            return Err(fail(Error::new("22023", "companies do not consent")));
        }
        events.push(Event {
            node: found.node,
            purpose,
            granted,
            texts: texts.each_ref().map(|one| text(one, row)),
            occurred_at: at.unwrap_or(now),
        });
    }
    Ok(())
}
