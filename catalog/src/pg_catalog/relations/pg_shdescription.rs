//! `pg_shdescription`: comments on databases and roles. PostgreSQL manual:
//! catalog-pg-shdescription.

use super::super::context::Context;
use super::super::system_relation::relation;
use crate::definition::Oid;

/// OIDs of `pg_database` and `pg_authid`.
const PG_DATABASE: Oid = 1262;
const PG_AUTHID: Oid = 1260;

relation! { (context) (object, catalog, comment) in rows(context) => {
    objoid: object,
    classoid: catalog,
    description: comment,
} }

/// Object, its catalog, the comment.
pub(crate) fn rows(context: &Context) -> Vec<(Oid, Oid, &str)> {
    let databases =
        context.databases.iter().map(|one| (one.oid, PG_DATABASE, one.comment.as_deref()));
    let roles = context.roles.iter().map(|one| (one.oid, PG_AUTHID, one.comment.as_deref()));
    databases
        .chain(roles)
        .filter_map(|(oid, catalog, comment)| Some((oid, catalog, comment?)))
        .collect()
}
