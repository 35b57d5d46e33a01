//! `pg_foreign_server`: foreign servers. PostgreSQL manual: catalog-pg-foreign-server.

use super::super::facts::{foreign, grants};
use super::super::system_relation::relation;
use crate::foreign::PARQUET_WRAPPER_OID;
use crate::privileges::Access;

relation! { (context) server in context.catalog.servers() => {
    oid: server.oid,
    srvname: &server.name,
    srvowner: server.owner,
    srvfdw: PARQUET_WRAPPER_OID,
    srvtype: server.server_type.as_deref(),
    srvversion: server.version.as_deref(),
    srvacl: grants::acl(&Access::server(server), context),
    srvoptions: foreign::options(&server.options),
} }
