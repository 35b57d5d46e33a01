//! `foreign_servers`: foreign servers. PostgreSQL manual: infoschema-foreign-servers.

use super::super::facts::foreign;
use super::super::system_relation::relation;
use crate::foreign::PARQUET_WRAPPER;

relation! { (context) server in foreign::visible_servers(context) => {
    foreign_server_catalog: &context.database.name,
    foreign_server_name: &server.name,
    foreign_data_wrapper_catalog: &context.database.name,
    foreign_data_wrapper_name: PARQUET_WRAPPER,
    foreign_server_type: server.server_type.as_deref(),
    foreign_server_version: server.version.as_deref(),
    authorization_identifier: context.role_name(server.owner),
} }
