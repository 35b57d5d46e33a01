//! Foreign servers and foreign tables: rows that are kept elsewhere (manual: ddl-foreign-data).

use serde::{Deserialize, Serialize};

use crate::definition::{Grant, Oid};

/// The one foreign-data wrapper: Parquet files, read in place. Options are those of the PostgreSQL
/// extension of that name.
pub const PARQUET_WRAPPER: &str = "parquet_fdw";
/// Its OID.
pub const PARQUET_WRAPPER_OID: Oid = 13996;
/// The option of a table that names its files, with blanks between them.
pub const FILENAME: &str = "filename";

/// A name and a value of `OPTIONS (…)`.
pub type ForeignOption = (String, String);

/// A foreign server (`pg_foreign_server`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignServer {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: Oid,
    /// `TYPE`.
    pub server_type: Option<String>,
    /// `VERSION`.
    pub version: Option<String>,
    /// `OPTIONS`.
    pub options: Vec<ForeignOption>,
    /// `COMMENT ON SERVER`.
    pub comment: Option<String>,
    /// `None`: only the owner.
    pub grants: Option<Vec<Grant>>,
}

/// Where the rows of a foreign table are (`pg_foreign_table`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignTable {
    /// OID of its server.
    pub server: Oid,
    /// `OPTIONS`.
    pub options: Vec<ForeignOption>,
}

impl ForeignTable {
    /// The files or patterns that it names.
    pub fn filenames(&self) -> impl Iterator<Item = &str> {
        let named = self.options.iter().filter(|(name, _)| name == FILENAME);
        named.flat_map(|(_, value)| value.split_ascii_whitespace())
    }
}
