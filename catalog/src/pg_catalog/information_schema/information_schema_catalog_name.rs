//! `information_schema_catalog_name`: the database. PostgreSQL manual:
//! infoschema-information-schema-catalog-name.

use super::super::system_relation::relation;

relation! { (context) name in [&context.database.name] => {
    catalog_name: name,
} }
