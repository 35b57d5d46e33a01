//! `consent.as_of(instant)`: the last word of each customer on each purpose at that instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use clientele_catalog::domains::Subject;
use clientele_catalog::privileges::Access;
use clientele_catalog::storage::NodeRows;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::scalar::ScalarValue;

use super::EVENTS;
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::declared::Function;
use crate::functions::procedures::Parameter;
use crate::planning::context::QueryContext;
use crate::planning::rights::denied;

/// The function.
pub(super) const FUNCTION: Function = Function {
    name: "consent.as_of",
    parameters: &[Parameter { name: "instant", pg_type: PgType::TIMESTAMPTZ, default: None }],
    variadic: false,
    columns: &[
        ("customer_id", PgType::INT8),
        ("purpose", PgType::TEXT),
        ("granted", PgType::BOOL),
        ("channel", PgType::TEXT),
        ("text_version_hash", PgType::TEXT),
        ("occurred_at", PgType::TIMESTAMPTZ),
        ("event_id", PgType::INT8),
    ],
    comment: "what each customer had agreed to at an instant: the last event of each purpose before it",
    kernel: as_of,
};

/// One event.
struct Event {
    number: i64,
    granted: bool,
    channel: Option<String>,
    text_version_hash: Option<String>,
    occurred_at: i64,
}

fn as_of(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    let events = context.catalog().relation_by_oid(EVENTS);
    if !events.is_some_and(|one| Access::relation(one).permits(&context.rights, 'r', false)) {
        return Err(denied("function", FUNCTION.name));
    }
    let instant = match arguments.first() {
        Some(ScalarValue::TimestampMicrosecond(Some(instant), _)) => *instant,
        _ => return Err(Error::new("22004", "consent.as_of needs an instant")),
    };
    let mut last: BTreeMap<(i64, String), Event> = BTreeMap::new();
    let table = builtin::table(EVENTS)?;
    let names = ["event_id", "purpose", "granted", "channel", "text_version_hash", "occurred_at"];
    let numbers = names.map(|name| table.column(name).map_or(0, |column| column.number));
    let people = context.snapshot.customers.of(Subject::Person);
    let take = |found: NodeRows| {
        let mut events = Vec::new();
        read(&found, &mut events);
        for (node, purpose, event) in events {
            let key = (i64::from(people.customer(node)), purpose);
            let order = |one: &Event| (one.occurred_at, one.number);
            let later = last.get(&key).is_none_or(|before| order(before) < order(&event));
            if key.0 != 0 && event.occurred_at <= instant && later {
                last.insert(key, event);
            }
        }
    };
    context.store.node_rows(&context.snapshot, table, (Subject::Person, &numbers), take)?;
    let texts = |of: fn(&Event) -> &Option<String>| -> ArrayRef {
        Arc::new(last.values().map(|one| of(one).as_deref()).collect::<StringViewArray>())
    };
    let times = last.values().map(|one| Some(one.occurred_at));
    Ok(vec![
        Arc::new(last.keys().map(|one| Some(one.0)).collect::<Int64Array>()),
        Arc::new(last.keys().map(|one| Some(one.1.as_str())).collect::<StringViewArray>()),
        Arc::new(last.values().map(|one| Some(one.granted)).collect::<BooleanArray>()),
        texts(|one| &one.channel),
        texts(|one| &one.text_version_hash),
        Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(last.values().map(|one| Some(one.number)).collect::<Int64Array>()),
    ])
}

/// The events of stored rows, with their nodes and purposes.
fn read(found: &NodeRows, events: &mut Vec<(u32, String, Event)>) {
    let [number, purpose, granted, channel, hash, occurred_at] = found.columns.as_slice() else {
        return;
    };
    let text = |array: &ArrayRef, row: usize| {
        let texts = array.as_string_view_opt().filter(|one| one.is_valid(row));
        texts.map(|one| one.value(row).to_owned())
    };
    let (Some(number), Some(granted)) =
        (number.as_primitive_opt::<Int64Type>(), granted.as_boolean_opt())
    else {
        return;
    };
    let Some(occurred_at) = occurred_at.as_primitive_opt::<TimestampMicrosecondType>() else {
        return;
    };
    for (row, node) in found.nodes.iter().enumerate() {
        let event = Event {
            number: number.value(row),
            granted: granted.value(row),
            channel: text(channel, row),
            text_version_hash: text(hash, row),
            occurred_at: occurred_at.value(row),
        };
        events.push((*node, text(purpose, row).unwrap_or_default(), event));
    }
}
