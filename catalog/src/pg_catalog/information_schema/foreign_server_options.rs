//! `foreign_server_options`: options of foreign servers. PostgreSQL manual: infoschema-foreign-server-options.

use super::super::facts::foreign;
use super::super::system_relation::relation;

relation! { (context) (server, (name, value)) in foreign::visible_servers(context)
    .flat_map(|server| server.options.iter().map(move |option| (server, option))) => {
    foreign_server_catalog: &context.database.name,
    foreign_server_name: &server.name,
    option_name: name,
    option_value: value,
} }
