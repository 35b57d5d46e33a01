//! Which of DataFusion's functions SQL can call: those that PostgreSQL has too. For the others, as
//! `nvl2` or `flatten`, the answer is PostgreSQL's: there is no such function (42883).

use clientele_catalog::pg_catalog::is_function_of_postgresql;

/// Marks the names under which the engine itself calls DataFusion's functions. No name in a
/// statement has a zero byte.
pub const OWN: &str = "\0";

/// Functions without an entry of their own in PostgreSQL's `pg_proc`, or with arguments of any type.
const OTHERS: &[&str] = &[
    "array_append",
    "array_cat",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_replace",
    "coalesce",
    "current_date",
    "current_time",
    "current_timestamp",
    "enum_first",
    "enum_last",
    "enum_range",
    "greatest",
    "grouping",
    "least",
    "nullif",
    "starts_with",
    "trim",
];

/// The registry's name for a name in SQL; `None`: there is no such function.
pub fn registered_name(name: &str) -> Option<&str> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    if let Some(own) = name.strip_prefix(OWN) {
        return Some(own);
    }
    is_offered(name).then_some(name)
}

/// Whether SQL can call a function of that name.
pub fn is_offered(name: &str) -> bool {
    let declared =
        || clientele_udfs::functions::docs().iter().any(|doc| doc.signature.name == name);
    is_function_of_postgresql(name)
        || OTHERS.contains(&name)
        || clientele_udfs::functions::by_name(name).is_some()
        || declared()
}
