//! `identity.events()`: merges and splits; `identity.merges` and `identity.splits` are over it.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{Event, FirstSight};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, Int64Array, StringViewArray, TimestampMicrosecondArray};
use datafusion::scalar::ScalarValue;

use crate::error::Result;
use crate::handle::{self, source_name};
use crate::planning::context::QueryContext;

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("happened_at", PgType::TIMESTAMPTZ),
    ("subject", PgType::TEXT),
    ("event", PgType::TEXT),
    ("customer_id", PgType::INT8),
    ("other_customer_id", PgType::INT8),
    ("cause", PgType::TEXT),
    ("source", PgType::TEXT),
];

/// One row for each event.
pub(super) fn rows(context: &QueryContext, _arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let events = context.store.identity_events(&context.snapshot)?;
    let [people, companies] = Subject::ALL.map(|subject| {
        let causes = events.iter().filter(|one| one.subject == subject).map(|one| one.cause);
        context.store.first_sights(&context.snapshot, subject, &causes.collect::<Vec<_>>())
    });
    let (people, companies) = (by_node(people?), by_node(companies?));
    let sight = |event: &Event| match event.subject {
        Subject::Person => people.get(&event.cause),
        Subject::Company => companies.get(&event.cause),
    };
    let catalog = context.catalog();
    let subject = |event: &Event| match event.subject {
        Subject::Person => "person",
        Subject::Company => "company",
    };
    let source = |event: &Event| Some(source_name(catalog, sight(event)?.source));
    let kind = |event: &Event| if event.merged { "merge" } else { "split" };
    let number = |of: fn(&Event) -> u32| -> ArrayRef {
        Arc::new(events.iter().map(|one| Some(i64::from(of(one)))).collect::<Int64Array>())
    };
    let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|one| one.at));
    let causes = events
        .iter()
        .map(|one| handle::shown(catalog, std::slice::from_ref(sight(one)?), one.cause));
    Ok(vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::new(events.iter().map(|one| Some(subject(one))).collect::<StringViewArray>()),
        Arc::new(events.iter().map(|one| Some(kind(one))).collect::<StringViewArray>()),
        number(|one| one.customer),
        number(|one| one.other),
        Arc::new(causes.collect::<StringViewArray>()),
        Arc::new(events.iter().map(source).collect::<StringViewArray>()),
    ])
}

fn by_node(sights: Vec<FirstSight>) -> HashMap<u32, FirstSight> {
    sights.into_iter().map(|one| (one.node, one)).collect()
}
