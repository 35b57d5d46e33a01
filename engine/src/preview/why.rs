//! `segments.why(segment, customer_id)`: each condition of the definition, for one customer.

use clientele_udfs::types::PgType;
use sqlparser::ast::Query;

use super::{conditions, definition};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::template::{Part, filled, number, text, union_all};

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("position", PgType::TEXT),
    ("clause", PgType::TEXT),
    ("condition", PgType::TEXT),
    ("value", PgType::TEXT),
    ("holds", PgType::BOOL),
];

/// The query.
pub(super) fn query(context: &QueryContext, arguments: &[Option<String>]) -> Result<Query> {
    let [Some(segment), Some(customer)] = arguments else {
        return Err(Error::new("22004", "segment and customer must not be null"));
    };
    let customer: i64 = customer.trim().parse().map_err(|_| {
        Error::new("22P02", format!("invalid input syntax for type bigint: \"{customer}\""))
    })?;
    let defined = definition::of_segment(context, segment)?;
    let subject = definition::subject(&defined);
    let member = filled(
        &format!("SELECT {subject}, NULL::text AS value, true AS holds FROM \"<all>\" AS members"),
        &[("all", Part::Query(&defined))],
    )?;
    let mut rows = vec![row(&member, (0, subject, customer), ("", "SEGMENT", segment))?];
    for (place, one) in conditions::of(&defined, subject)?.iter().enumerate() {
        let shown = (one.position.as_str(), one.clause, one.text.as_str());
        rows.push(row(&one.query, (place + 1, subject, customer), shown)?);
    }
    // An order without a limit is nothing to a query in FROM.
    let count = rows.len();
    filled(
        "SELECT position, clause, condition, value, holds FROM \"<rows>\" AS conditions \
         ORDER BY n LIMIT \"<count>\"",
        &[("rows", Part::Query(&union_all(rows)?)), ("count", number(count))],
    )
}

fn row(
    seen: &Query,
    (place, subject, customer): (usize, &str, i64),
    (position, clause, condition): (&str, &str, &str),
) -> Result<Query> {
    let template = format!(
        "SELECT \"<n>\" AS n, \"<position>\"::text AS position, \"<clause>\"::text AS clause, \
         \"<condition>\"::text AS condition, max(value) AS value, \
         coalesce(bool_or(holds), false) AS holds \
         FROM \"<seen>\" AS seen WHERE {subject} = \"<customer>\""
    );
    filled(
        &template,
        &[
            ("n", number(place)),
            ("position", text(position)),
            ("clause", text(clause)),
            ("condition", text(condition)),
            ("customer", number(customer)),
            ("seen", Part::Query(seen)),
        ],
    )
}
