//! `pg_namespace`: schemas. PostgreSQL manual: catalog-pg-namespace.

use super::super::facts::grants;
use super::super::system_relation::relation;
use crate::privileges::Access;

relation! { (context) schema in context.catalog.schemas() => {
    oid: schema.oid,
    nspname: &schema.name,
    nspowner: schema.owner,
    nspacl: grants::acl(&Access::schema(schema), context),
} }
