//! `foreign_data_wrappers`: foreign-data wrappers. PostgreSQL manual: infoschema-foreign-data-wrappers.

use super::super::system_relation::relation;
use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::foreign::PARQUET_WRAPPER;

relation! { (context) name in [PARQUET_WRAPPER] => {
    foreign_data_wrapper_catalog: &context.database.name,
    foreign_data_wrapper_name: name,
    authorization_identifier: context.role_name(BOOTSTRAP_ROLE_OID),
    foreign_data_wrapper_language: "c",
} }
