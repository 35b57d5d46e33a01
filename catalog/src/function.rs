//! Functions whose bodies are SQL: what `CREATE FUNCTION` leaves behind.

use clientele_udfs::types::PgType;
use serde::{Deserialize, Serialize};

use crate::definition::{Grant, Oid};

/// A function whose body is SQL (`pg_proc`, manual: xfunc-sql).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its OID.
    pub oid: Oid,
    /// OID of its schema.
    pub schema: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// What a caller gives, in order; those with defaults last.
    pub arguments: Vec<FunctionArgument>,
    /// What it returns.
    pub returns: Returns,
    /// One query or, after `RETURN`, one expression; as the user wrote it.
    pub body: String,
    /// `i` immutable, `s` stable, `v` volatile.
    pub volatility: char,
    /// NULL for a NULL argument.
    pub strict: bool,
    /// `SECURITY DEFINER`: it reads with the rights of its owner.
    #[serde(default)]
    pub definer: bool,
    /// `COMMENT ON FUNCTION`.
    pub comment: Option<String>,
    /// `None`: everyone may call it.
    pub grants: Option<Vec<Grant>>,
}

impl Function {
    /// How many arguments a caller must give at least.
    pub fn required(&self) -> usize {
        self.arguments.iter().filter(|one| one.default.is_none()).count()
    }
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionArgument {
    /// Empty: it has none, the body calls it `$n`.
    pub name: String,
    /// Its type.
    pub pg_type: PgType,
    /// DEFAULT, as SQL.
    pub default: Option<String>,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returns {
    /// One value.
    Value(PgType),
    /// `SETOF`: a column of values.
    Set(PgType),
    /// OUT arguments: one row of them.
    Row(Vec<(String, PgType)>),
    /// `TABLE (…)`, or `SETOF` a relation: names and types of the columns.
    Table(Vec<(String, PgType)>),
}
