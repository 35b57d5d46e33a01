//! `schemata`: schemas. PostgreSQL manual: infoschema-schemata.

use super::super::system_relation::relation;
use crate::privileges::Access;

relation! { (context) schema in {
    let rights = context.own_rights();
    context.catalog.schemas().filter(move |schema| {
        let access = Access::schema(schema);
        access.permits(&rights, 'U', false) || access.permits(&rights, 'C', false)
    })
} => {
    catalog_name: &context.database.name,
    schema_name: &schema.name,
    schema_owner: context.role_name(schema.owner),
} }
