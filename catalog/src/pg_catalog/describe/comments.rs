//! Comments: `obj_description`, `col_description`, `shobj_description`.

use super::super::context::Context;
use super::super::relations::{pg_description, pg_shdescription};
use super::super::system_relation;
use crate::definition::Oid;

const PG_CLASS: Oid = 1259;

/// `obj_description(oid, catalog)`: the comment on an object of that catalog (`pg_class` …).
pub fn object_comment(context: &Context, object: Oid, catalog: &str) -> Option<String> {
    let catalog = system_relation::find("pg_catalog", catalog)?.oid;
    pg_description::comment(context, object, catalog, 0)
}

/// `obj_description(oid)`, deprecated: the comment on any object of that OID.
pub fn any_object_comment(context: &Context, object: Oid) -> Option<String> {
    let rows = pg_description::rows(context);
    rows.into_iter().find(|row| row.0 == object && row.2 == 0).map(|row| row.3.into_owned())
}

/// `col_description(table, column)`.
pub fn column_comment(context: &Context, table: Oid, column: i32) -> Option<String> {
    if column == 0 {
        return None;
    }
    pg_description::comment(context, table, PG_CLASS, column)
}

/// `shobj_description(oid, catalog)`: the comment on a database or role.
pub fn shared_comment(context: &Context, object: Oid, catalog: &str) -> Option<String> {
    let catalog = system_relation::find("pg_catalog", catalog)?.oid;
    let rows = pg_shdescription::rows(context);
    rows.into_iter().find(|row| (row.0, row.1) == (object, catalog)).map(|row| row.2.to_owned())
}
