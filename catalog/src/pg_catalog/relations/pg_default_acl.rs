//! `pg_default_acl`: privileges of objects to come. PostgreSQL manual: catalog-pg-default-acl.

use super::super::facts::grants;
use super::super::system_relation::relation;

relation! { (context) defaults in context.catalog.default_privileges() => {
    oid: defaults.oid,
    defaclrole: defaults.role,
    defaclnamespace: defaults.schema,
    defaclobjtype: defaults.kind,
    defaclacl: grants::items(&defaults.grants, defaults.kind, context),
} }
