//! Questions about definitions of segments, asked before they are changed and when somebody wonders.
//!
//! ```sql
//! SELECT * FROM segments.preview($$ SELECT customer_id FROM shop.orders WHERE total > 500 $$);
//! SELECT * FROM segments.diff('vip', $$ SELECT customer_id FROM shop.orders WHERE total > 500 $$);
//! SELECT * FROM segments.why('vip', 42);
//! ```
//!
//! Each is a query over the tables of the definition, made on the tree and put in place of the call
//! ([`crate::functions::QueryFunction`]); only the size has an operator, because of its time budget.
//!
//! - `definition`: where definitions come from
//! - `conditions`: a definition taken apart
//! - `why`, `diff`, `size`: the functions; `exec`: counts as long as there is time, then a sample

mod conditions;
mod definition;
mod diff;
mod exec;
mod size;
mod why;

use clientele_udfs::types::PgType;

pub(crate) use exec::SizePlanner;
pub(crate) use size::{NAME as SIZE, plan as plan_size};

use crate::functions::QueryFunction;
use crate::functions::procedures::Parameter;

const fn text(name: &'static str) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default: None }
}

/// The functions.
pub(crate) static FUNCTIONS: &[QueryFunction] = &[
    QueryFunction {
        name: "segments.why",
        parameters: &[
            text("segment"),
            Parameter { name: "customer_id", pg_type: PgType::INT8, default: None },
        ],
        columns: why::COLUMNS,
        comment: "each condition of a segment's definition for one customer: the value seen, and whether it holds",
        query: Some(why::query),
    },
    QueryFunction {
        name: "segments.diff",
        parameters: &[text("segment"), text("definition")],
        columns: diff::COLUMNS,
        comment: "who would enter and who would leave a segment under another definition, and why",
        query: Some(diff::query),
    },
    QueryFunction {
        name: SIZE,
        parameters: &[
            text("definition"),
            Parameter { name: "budget", pg_type: PgType::INTERVAL, default: Some("'1 second'") },
        ],
        columns: size::COLUMNS,
        comment: "how many a definition has and some of them: counted, or estimated from a sample when the time is up",
        query: None,
    },
];
