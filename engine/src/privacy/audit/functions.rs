//! `gdpr.exposure`: what a role has read, for a breach; `gdpr.verify_audit`: whether the log is whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::scalar::ScalarValue;

use super::entry::{Place, hash};
use super::log::stored;
use crate::error::{Error, Result};
use crate::functions::declared::Function;
use crate::functions::procedures::Parameter;
use crate::planning::context::QueryContext;
use crate::privacy::decision;

/// The table functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "gdpr.exposure",
        parameters: &[
            Parameter { name: "role", pg_type: PgType::TEXT, default: None },
            Parameter { name: "from", pg_type: PgType::TIMESTAMPTZ, default: Some("NULL") },
            Parameter { name: "to", pg_type: PgType::TIMESTAMPTZ, default: Some("NULL") },
        ],
        variadic: false,
        columns: &[
            ("column_name", PgType::TEXT),
            ("read_count", PgType::INT8),
            ("row_count", PgType::INT8),
            ("first_read_at", PgType::TIMESTAMPTZ),
            ("last_read_at", PgType::TIMESTAMPTZ),
        ],
        comment: "which personal columns a role has read as they are between two instants, how often, and how many rows",
        kernel: exposure,
    },
    Function {
        name: "gdpr.verify_audit",
        parameters: &[],
        variadic: false,
        columns: &[
            ("entry_count", PgType::INT8),
            ("valid", PgType::BOOL),
            ("first_broken_entry_id", PgType::INT8),
        ],
        comment: "whether no entry of gdpr.audit was changed, left out or put in",
        kernel: verify,
    },
];

fn allowed(context: &QueryContext, what: &str) -> Result<()> {
    match context.is_privacy_officer() {
        true => Ok(()),
        false => Err(decision::refused(what)),
    }
}

/// What was read of a column.
#[derive(Default)]
struct Exposed {
    reads: i64,
    rows: i64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Exposed {
    fn add(&mut self, (reads, rows): (i64, i64), at: i64) {
        self.reads += reads;
        self.rows += rows;
        self.first = self.first.or(Some(at));
        self.last = Some(at);
    }
}

fn exposure(context: &QueryContext, arguments: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    allowed(context, "see what roles have read")?;
    let role = arguments.first().and_then(|one| one.try_as_str()).flatten();
    let role = role.ok_or_else(|| Error::new("22004", "gdpr.exposure needs a role"))?;
    let instant = |at: usize| match arguments.get(at) {
        Some(ScalarValue::TimestampMicrosecond(Some(instant), _)) => Some(*instant),
        _ => None,
    };
    let (from, to) = (instant(1).unwrap_or(i64::MIN), instant(2).unwrap_or(i64::MAX));
    let mut found: BTreeMap<String, Exposed> = BTreeMap::new();
    let entries = stored(&context.store, &context.snapshot)?;
    let reads = entries.into_iter().filter(|one| one.kind == "read" && one.entry.role == role);
    for one in reads.filter(|one| (from..=to).contains(&one.at)) {
        let (count, rows) = (one.entry.read_count.unwrap_or(1), one.entry.row_count.unwrap_or(0));
        for column in one.entry.columns {
            found.entry(column).or_default().add((count, rows), one.at);
        }
    }
    // What waits to be put together.
    let now = Utc::now().timestamp_micros();
    let pending = context.engine.auditor.repeated.pending(context.database.oid);
    for one in pending.into_iter().filter(|one| one.role == role && (from..=to).contains(&now)) {
        let (count, rows) = (one.read_count.unwrap_or(1), one.row_count.unwrap_or(0));
        for column in one.columns {
            found.entry(column).or_default().add((count, rows), now);
        }
    }
    let number = |of: fn(&Exposed) -> i64| -> ArrayRef {
        Arc::new(found.values().map(|one| Some(of(one))).collect::<Int64Array>())
    };
    let time = |of: fn(&Exposed) -> Option<i64>| -> ArrayRef {
        let times = found.values().map(of).collect::<TimestampMicrosecondArray>();
        Arc::new(times.with_timezone("UTC"))
    };
    Ok(vec![
        Arc::new(found.keys().map(|one| Some(one.as_str())).collect::<StringViewArray>()),
        number(|one| one.reads),
        number(|one| one.rows),
        time(|one| one.first),
        time(|one| one.last),
    ])
}

fn verify(context: &QueryContext, _: &[ScalarValue]) -> Result<Vec<ArrayRef>> {
    allowed(context, "verify the audit log")?;
    let entries = stored(&context.store, &context.snapshot)?;
    let key = context.store.brand_key();
    let (mut before, mut broken) = (String::new(), None);
    for (number, one) in (1..).zip(&entries) {
        let place = Place { number, at: one.at, previous: &before };
        let expected = hash(key, &one.kind, &one.entry, place);
        if one.number != number || one.previous != before || one.hash != expected {
            broken = Some(one.number);
            break;
        }
        before.clone_from(&one.hash);
    }
    let count = i64::try_from(entries.len()).ok();
    Ok(vec![
        Arc::new(Int64Array::from_iter([count])),
        Arc::new(BooleanArray::from_iter([Some(broken.is_none())])),
        Arc::new(Int64Array::from_iter([broken])),
    ])
}
