//! `collations`: what `pg_collation` has beside the default. PostgreSQL manual:
//! infoschema-collations.

use super::super::system_relation::relation;

relation! { (context) name in ["C", "POSIX", "ucs_basic"] => {
    collation_catalog: &context.database.name,
    collation_schema: "pg_catalog",
    collation_name: name,
    pad_attribute: "NO PAD",
} }
