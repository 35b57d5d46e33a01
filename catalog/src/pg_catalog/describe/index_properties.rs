//! What indexes and their methods can do. PostgreSQL manual: functions-info, Index Properties.

use super::super::context::Context;
use super::super::facts::indexes::{self, DESCENDING, NULLS_FIRST};
use crate::definition::Oid;

const BTREE: &str = "btree";

/// `pg_index_column_has_property(index, column, property)`; `None` for what there is not.
pub fn of_column(context: &Context, index: Oid, column: i64, property: &str) -> Option<bool> {
    let found = indexes::find(context, index)?;
    let place = usize::try_from(column).ok()?.checked_sub(1)?;
    let option = *found.options().get(place)?;
    let method = found.method();
    let sorts = method == BTREE;
    let (descending, nulls_first) = (option & DESCENDING != 0, option & NULLS_FIRST != 0);
    Some(match property.to_lowercase().as_str() {
        "asc" => sorts && !descending,
        "desc" => sorts && descending,
        "nulls_first" => sorts && nulls_first,
        "nulls_last" => sorts && !nulls_first,
        "orderable" | "search_array" => sorts,
        "distance_orderable" => false,
        "returnable" => ["btree", "gist", "spgist"].contains(&method),
        "search_nulls" => !["hash", "gin"].contains(&method),
        _ => return None,
    })
}

/// `pg_index_has_property(index, property)`.
pub fn of_index(context: &Context, index: Oid, property: &str) -> Option<bool> {
    let found = indexes::find(context, index)?;
    let method = found.method();
    Some(match property.to_lowercase().as_str() {
        "clusterable" => ["btree", "gist"].contains(&method),
        "index_scan" => !["gin", "brin"].contains(&method),
        "bitmap_scan" => true,
        "backward_scan" => ["btree", "hash"].contains(&method),
        _ => return None,
    })
}
