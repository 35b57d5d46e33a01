//! One file per relation of schema `clientele`: what the engine shows of itself that PostgreSQL
//! has no relation for.

use super::system_relation::Source;

pub(crate) mod domains;
pub(crate) mod progress;

/// All of them.
pub(crate) const BUILT: &[(&str, &str, Source)] =
    &[("clientele", "domains", domains::SOURCE), ("clientele", "progress", progress::SOURCE)];

/// The comment on a relation.
pub(crate) fn comment(name: &str) -> Option<&'static str> {
    match name {
        "domains" => Some(domains::COMMENT),
        "progress" => Some(progress::COMMENT),
        _ => None,
    }
}
