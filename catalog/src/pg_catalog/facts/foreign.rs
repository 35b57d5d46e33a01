//! Foreign servers and tables as the catalogs show them.

use super::super::context::Context;
use crate::definition::{ForeignServer, ForeignTable, Relation, Schema};
use crate::foreign::ForeignOption;
use crate::privileges::Access;

/// Every foreign table with its schema.
pub(crate) fn tables(
    context: &Context,
) -> impl Iterator<Item = (&Schema, &Relation, &ForeignTable)> {
    let all = context.placed_relations();
    all.filter_map(|(schema, relation)| Some((schema, relation.as_ref(), relation.foreign()?)))
}

/// Those that the current role may do something with, with the names of their servers.
pub(crate) fn visible_tables(
    context: &Context,
) -> impl Iterator<Item = (&Schema, &Relation, &ForeignTable, &str)> {
    let rights = context.own_rights();
    let seen = tables(context).filter(move |(_, relation, _)| rights.sees(relation));
    seen.filter_map(|(schema, relation, foreign)| {
        let server = context.catalog.server_by_oid(foreign.server)?;
        Some((schema, relation, foreign, server.name.as_str()))
    })
}

/// The servers that the current role may use.
pub(crate) fn visible_servers(context: &Context) -> impl Iterator<Item = &ForeignServer> {
    let rights = context.own_rights();
    let servers = context.catalog.servers().map(AsRef::as_ref);
    servers.filter(move |server| Access::server(server).permits(&rights, 'U', false))
}

/// `{name=value}`; none is NULL.
pub(crate) fn options(options: &[ForeignOption]) -> Option<Vec<String>> {
    let text = |(name, value): &ForeignOption| format!("{name}={value}");
    (!options.is_empty()).then(|| options.iter().map(text).collect())
}
