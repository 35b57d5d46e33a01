//! `pg_database`: databases, one a brand. PostgreSQL manual: catalog-pg-database.

use super::super::facts::grants;
use super::super::system_relation::relation;
use crate::definition::Oid;
use crate::privileges::Access;

/// `UTF8` (`pg_encoding_to_char`).
const UTF8: i32 = 6;
/// Tablespace `pg_default`.
const PG_DEFAULT: Oid = 1663;

relation! { (context) database in &context.databases => {
    oid: database.oid,
    datname: &database.name,
    datdba: database.owner,
    encoding: UTF8,
    datlocprovider: 'c',
    datallowconn: true,
    datconnlimit: -1,
    dattablespace: PG_DEFAULT,
    datcollate: "C.UTF-8",
    datctype: "C.UTF-8",
    datacl: grants::acl(&Access::database(database), context),
} }
