//! What can go wrong below the SQL: names, files, the log, conflicts.

/// The result of a catalog or storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Failures of catalog and storage. The engine alone maps them to SQLSTATE, DETAIL and HINT.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A write meets another committed since the transaction's snapshot (40001).
    #[error("could not serialize access due to concurrent update")]
    Conflict,
    /// A key value exists already (23505).
    #[error("duplicate key value violates unique constraint \"{constraint}\"")]
    UniqueViolation {
        /// Schema of the table.
        schema: String,
        /// Name of the table.
        table: String,
        /// Name of the constraint.
        constraint: String,
        /// `(id)=(17)`, for the DETAIL line; `None` when it may not be shown.
        key: Option<String>,
    },
    /// A row refers to a key that is not there, or a key is gone that a row refers to (23503).
    #[error("{}", foreign_key_message(table, constraint, parent, *removed))]
    ForeignKeyViolation {
        /// Schema of the table that was written.
        schema: String,
        /// The table that refers.
        table: String,
        /// The foreign key.
        constraint: String,
        /// `(id)=(17)`, for the DETAIL line.
        key: Option<String>,
        /// The table referred to.
        parent: String,
        /// The key is gone; else it never was there.
        removed: bool,
    },
    /// An object of that name exists already (42P07, 42P06, 42710 …).
    #[error("{kind} \"{name}\" already exists")]
    Duplicate {
        /// `relation`, `schema`, `type` …
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A file or log record whose checksum or form is wrong (XX001).
    #[error("file \"{path}\" is damaged: {reason}")]
    Damaged {
        /// Path relative to the data directory.
        path: String,
        /// What was found.
        reason: String,
    },
    /// The data directory is in use by another server (55006).
    #[error("data directory \"{path}\" is in use by another server")]
    InUse {
        /// The directory.
        path: String,
    },
    /// The disk is full (53100).
    #[error("could not write to \"{path}\": no space left on device")]
    DiskFull {
        /// What was written.
        path: String,
    },
    /// Writes are refused since an earlier write to the log failed; reads go on (58030).
    #[error("the database accepts no writes: {reason}")]
    ReadOnly {
        /// The first failure.
        reason: String,
    },
    /// Reading or writing a file failed (58030).
    #[error("could not access \"{path}\": {source}")]
    Io {
        /// The file.
        path: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file of a foreign table cannot be opened (58P01, 42501, 58030).
    #[error("could not open file \"{path}\" for reading: {source}")]
    FileNotOpened {
        /// The file, or the pattern that nothing matches.
        path: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file of a foreign table is none that can be read (HV000).
    #[error("file \"{path}\" is not a readable Parquet file")]
    NoParquetFile {
        /// The file.
        path: String,
        /// What was found.
        reason: String,
    },
    /// A file of a foreign table became another one during a statement (HV000).
    #[error("file \"{path}\" was changed while it was read")]
    FileChanged {
        /// The file.
        path: String,
    },
    /// A file of a foreign table lacks a column that is NOT NULL (HV005).
    #[error("file \"{path}\" has no column \"{column}\"")]
    FileLacksColumn {
        /// The file.
        path: String,
        /// The column.
        column: String,
    },
    /// A column of a file of a foreign table cannot be cast (HV004).
    #[error(
        "column \"{column}\" of file \"{path}\" is of type {found} and cannot be read as {wanted}"
    )]
    FileColumnType {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// Its type in the file.
        found: String,
        /// That of the table's column.
        wanted: String,
    },
    /// The store of definitions failed (58030).
    #[error("could not access the store of definitions: {0}")]
    Definitions(String),
    /// The key of an index on expressions cannot be computed of a row; what failed shows values.
    #[error("{failure}")]
    KeyNotComputed {
        /// Name of the index.
        constraint: String,
        /// What failed.
        failure: Box<Error>,
    },
    /// Arrow, Parquet or DataFusion failed.
    #[error(transparent)]
    DataFusion(#[from] datafusion::error::DataFusionError),
    /// Something believed impossible (XX000).
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// The failure of computing a key.
    pub(crate) fn of_key(self, constraint: &str) -> Self {
        Self::KeyNotComputed { constraint: constraint.to_owned(), failure: Box::new(self) }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::DataFusion(error.into())
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::DataFusion(error.into())
    }
}

fn foreign_key_message(table: &str, constraint: &str, parent: &str, removed: bool) -> String {
    match removed {
        false => {
            format!(
                "insert or update on table \"{table}\" violates foreign key constraint \"{constraint}\""
            )
        }
        true => format!(
            "update or delete on table \"{parent}\" violates foreign key constraint \"{constraint}\" on table \"{table}\""
        ),
    }
}
