//! `pg_namespace`: schemas. PostgreSQL manual: catalog-pg-namespace.

use super::super::facts::grants::Access;
use super::super::system_relation::relation;

relation! { (context) schema in context.catalog.schemas() => {
    oid: schema.oid,
    nspname: &schema.name,
    nspowner: schema.owner,
    nspacl: Access::schema(schema).acl(context),
} }
