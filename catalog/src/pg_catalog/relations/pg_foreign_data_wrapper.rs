//! `pg_foreign_data_wrapper`: the one that reads Parquet files. PostgreSQL manual:
//! catalog-pg-foreign-data-wrapper.

use super::super::system_relation::relation;
use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::foreign::{PARQUET_WRAPPER, PARQUET_WRAPPER_OID};

relation! { (_context) name in [PARQUET_WRAPPER] => {
    oid: PARQUET_WRAPPER_OID,
    fdwname: name,
    fdwowner: BOOTSTRAP_ROLE_OID,
    fdwhandler: 0_u32,
    fdwvalidator: 0_u32,
} }
