//! `WITH` around statements that write: each part in its turn, its rows under its name for those
//! that follow. All queries see what was there before the statement (manual: queries-with).

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;
use sqlparser::ast::{Value, Visit, Visitor};

use super::Described;
use crate::api::{Outcome, Rows};
use crate::error::{Error, Result};
use crate::planning::Planned;
use crate::planning::context::{Given, QueryContext};
use crate::session::{Prepared, Session};
use crate::sql::{Body, Part, Steps};

/// Parameters of all parts, columns of the last.
pub(super) fn describe(
    context: &Arc<QueryContext>,
    with: &Steps,
    declared: &[Option<PgType>],
) -> Result<Described> {
    let mut types = declared.to_vec();
    let mut given = Vec::new();
    for step in &with.steps {
        let described = super::describe(&context.giving(&given), &step.body, &types)?;
        note(&mut types, &described, &step.body);
        let rows = match &step.body {
            Body::Query(_) => described.planned.as_ref(),
            _ => described.returning.as_ref(),
        };
        let empty = |planned: &Planned| -> Result<RecordBatch> {
            let names = planned.columns.iter().map(|column| column.name.clone()).collect();
            let schema = named(planned.plan.schema().as_arrow(), step, names)?;
            Ok(RecordBatch::new_empty(schema))
        };
        given.push(Given { name: step.name.clone(), rows: rows.map(empty).transpose()? });
    }
    let mut described = super::describe(&context.giving(&given), &with.last, &types)?;
    note(&mut types, &described, &with.last);
    if let Some(planned) = &mut described.planned {
        planned.parameters = types.into_iter().map(|one| one.unwrap_or(PgType::TEXT)).collect();
    }
    Ok(described)
}

/// The types of the parameters that a part has.
fn note(types: &mut Vec<Option<PgType>>, described: &Described, body: &Body) {
    let Some(planned) = &described.planned else { return };
    let mut used = Used::default();
    let _ = match body {
        Body::Query(query) => query.visit(&mut used),
        Body::Other(statement) => statement.visit(&mut used),
        _ => ControlFlow::Continue(()),
    };
    for place in used.places {
        if types.len() <= place {
            types.resize(place + 1, None);
        }
        if let (Some(slot), Some(found)) = (types.get_mut(place), planned.parameters.get(place)) {
            *slot = slot.or(Some(*found));
        }
    }
}

/// The places of parameters.
#[derive(Default)]
struct Used {
    places: Vec<usize>,
}

impl Visitor for Used {
    type Break = ();

    fn pre_visit_value(&mut self, value: &sqlparser::ast::ValueWithSpan) -> ControlFlow<()> {
        if let Value::Placeholder(name) = &value.value {
            let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
            self.places.extend(number.and_then(|number| number.checked_sub(1)));
        }
        ControlFlow::Continue(())
    }
}

/// A schema with the names that the part's columns are shown by, or are given.
fn named(schema: &Schema, step: &Part, shown: Vec<String>) -> Result<SchemaRef> {
    if step.columns.len() > schema.fields().len() {
        let (has, given) = (schema.fields().len(), step.columns.len());
        return Err(Error::new(
            "42P10",
            format!(
                "WITH query \"{}\" has {has} columns available but {given} columns specified",
                step.name
            ),
        ));
    }
    let fields = schema.fields().iter().zip(shown).enumerate().map(|(place, (field, shown))| {
        let name = step.columns.get(place).cloned().unwrap_or(shown);
        field.as_ref().clone().with_name(name).with_nullable(true)
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Runs all parts.
pub(super) async fn execute(
    session: &mut Session,
    with: &Steps,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    let result = run(session, with, (prepared, parameters)).await;
    session.given.clear();
    result
}

async fn run(
    session: &mut Session,
    with: &Steps,
    (prepared, parameters): (&Prepared, Vec<ScalarValue>),
) -> Result<Outcome> {
    let context = session.context().await?;
    for step in &with.steps {
        let part = (step.body.clone(), prepared, parameters.clone());
        let rows = match session.run_part(&context, part).await? {
            Outcome::Rows(rows) => Some(collected(step, rows).await?),
            _ => None,
        };
        session.given.push(Given { name: step.name.clone(), rows });
    }
    session.run_part(&context, (with.last.as_ref().clone(), prepared, parameters)).await
}

async fn collected(step: &Part, mut rows: Rows) -> Result<RecordBatch> {
    let names = rows.columns.iter().map(|column| column.name.clone()).collect();
    let mut batches = Vec::new();
    while let Some(batch) = rows.stream.next().await {
        batches.push(batch?);
    }
    let Some(first) = batches.first() else {
        let fields = rows.columns.iter().map(|one| one.pg_type.field(&one.name, true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        return Ok(RecordBatch::new_empty(named(&schema, step, names)?));
    };
    let all = concat_batches(&first.schema(), &batches).map_err(Error::internal)?;
    let schema = named(all.schema_ref(), step, names)?;
    RecordBatch::try_new(schema, all.columns().to_vec()).map_err(Error::internal)
}
