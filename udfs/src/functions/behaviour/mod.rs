//! What customers did, and when: functions of one pass over a customer's rows.
//!
//! The names and meanings of ClickHouse's `windowFunnel`, `sequenceMatch` and `retention` (its
//! manual, "Parametric aggregate functions"), in PostgreSQL's spelling. Rows need not be ordered.
//!
//! ```sql
//! SELECT device, funnel('7 days', occurred_at, event = 'visit', event = 'add_to_cart', event = 'purchase')
//!   FROM web.events GROUP BY device;
//! SELECT customer_id FROM shop.orders GROUP BY 1 HAVING recurs_within(ordered_at, '30 days');
//! SELECT customer_id, latest_by(store, ordered_at) FILTER (WHERE ordered_at < '2026-01-01') FROM shop.orders GROUP BY 1;
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`timeline`] | an aggregate that keeps times and met conditions, and gives them in order |
//! | [`funnel`], [`sequence`], [`trailing`] | rules over such a timeline |
//! | [`latest`] | `latest_by`, `earliest_by` |
//! | [`retention`] | `retention` |
//! | [`attribution`] | `attribution`, `first_touch`, `last_touch` |
//! | [`sessionize`] | `sessionize`, a window function |
//! | [`anniversary`], [`geo`], [`bucket`] | functions of one row |

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, Volatility, WindowUDF};

use super::Doc;
use super::function::Function;
use super::signature::Signature;

pub mod anniversary;
pub mod attribution;
pub mod bucket;
pub mod funnel;
pub mod geo;
pub mod latest;
pub mod retention;
pub mod sequence;
pub mod sessionize;
pub mod timeline;
pub mod trailing;

/// Functions of one row.
pub fn functions() -> Vec<Function> {
    [anniversary::functions(), geo::functions(), bucket::functions()].concat()
}

/// Aggregates.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    [
        funnel::all(),
        sequence::all(),
        trailing::all(),
        latest::all(),
        retention::all(),
        attribution::all(),
    ]
    .concat()
}

/// Window functions.
pub fn windows() -> Vec<Arc<WindowUDF>> {
    vec![sessionize::window_function()]
}

/// Window functions as `\df` shows them.
pub fn window_docs() -> impl Iterator<Item = Doc> {
    Signature::parse("sessionize(time timestamptz, gap interval) -> int8").into_iter().map(|signature| Doc {
        signature,
        volatility: Volatility::Immutable,
        strict: false,
        kind: 'w',
        operator: None,
        description: "The number of the session that a row is in, which ends where the next row is further away than the gap.",
    })
}

/// Aggregates as `\df` shows them, with one sentence each.
pub const DECLARED: &[(&str, &str)] = &[
    (
        "funnel(window interval, time timestamptz, VARIADIC steps bool[]) -> int4",
        "How many of the steps were taken one after the other, the last one within the window after the first.",
    ),
    (
        "sequence_match(pattern text, time timestamptz, VARIADIC conditions bool[]) -> bool",
        "Whether rows in order of time follow a pattern such as (?1)(?t<=3600)(?2).",
    ),
    (
        "sequence_count(pattern text, time timestamptz, VARIADIC conditions bool[]) -> int8",
        "How often rows in order of time follow a pattern, without overlap.",
    ),
    (
        "count_within(time timestamptz, window interval) -> int8",
        "The most rows that lie within a window of time.",
    ),
    (
        "recurs_within(time timestamptz, window interval) -> bool; recurs_within(time timestamptz, window interval, times int4) -> bool",
        "Whether that many rows, two by default, lie within a window of time.",
    ),
    (
        "session_count(time timestamptz, gap interval) -> int8",
        "The number of runs of rows with no more than the gap between them.",
    ),
    (
        "latest_by(value anyelement, time timestamptz) -> anyelement",
        "The value at the latest time; of several the smallest.",
    ),
    (
        "earliest_by(value anyelement, time timestamptz) -> anyelement",
        "The value at the earliest time; of several the smallest.",
    ),
    (
        "retention(VARIADIC conditions bool[]) -> bool[]",
        "Whether some row meets the first condition, and for each other one whether both were met.",
    ),
    (
        "attribution(model text, window interval, time timestamptz, source text, value float8) -> jsonb",
        "What each source earns of the values that follow it within a window: first, last, linear, position or decay.",
    ),
    (
        "first_touch(window interval, time timestamptz, source text, converted bool) -> text",
        "The earliest source within a window before the first conversion.",
    ),
    (
        "last_touch(window interval, time timestamptz, source text, converted bool) -> text",
        "The last source within a window before the first conversion.",
    ),
];
