//! Failures of catalog and storage in PostgreSQL's words.

use std::io;

use clientele_catalog::Error as CatalogError;

use super::Error;

impl Error {
    /// The error that a client is told.
    pub fn from_catalog(error: &CatalogError) -> Self {
        match error {
            CatalogError::Conflict => Self::new("40001", error.to_string())
                .with_hint("The transaction might succeed if retried."),
            CatalogError::UniqueViolation { schema, table, constraint, key } => {
                let mut own = Self::new("23505", error.to_string());
                own.detail = key.as_ref().map(|key| format!("Key {key} already exists."));
                own.object.schema = Some(schema.clone());
                own.object.table = Some(table.clone());
                own.object.constraint = Some(constraint.clone());
                own
            }
            CatalogError::ForeignKeyViolation {
                schema,
                table,
                constraint,
                key,
                parent,
                removed,
            } => {
                let mut own = Self::new("23503", error.to_string());
                own.detail = key.as_ref().map(|key| match removed {
                    false => format!("Key {key} is not present in table \"{parent}\"."),
                    true => format!("Key {key} is still referenced from table \"{table}\"."),
                });
                own.object.schema = Some(schema.clone());
                own.object.table = Some(if *removed { parent } else { table }.clone());
                own.object.constraint = Some(constraint.clone());
                own
            }
            CatalogError::Duplicate { kind, .. } => Self::new(
                match *kind {
                    "relation" => "42P07",
                    "schema" => "42P06",
                    "database" => "42P04",
                    _ => "42710",
                },
                error.to_string(),
            ),
            CatalogError::Damaged { .. } => Self::new("XX001", error.to_string()),
            CatalogError::InUse { .. } => Self::new("55006", error.to_string()),
            CatalogError::DiskFull { .. } => Self::new("53100", error.to_string()),
            CatalogError::ReadOnly { .. }
            | CatalogError::Io { .. }
            | CatalogError::Definitions(_) => Self::new("58030", error.to_string()),
            CatalogError::FileNotOpened { path, source } => {
                Self::file_not_opened(path, "reading", source)
            }
            CatalogError::NoParquetFile { reason, .. } => {
                Self::new("HV000", error.to_string()).with_detail(sentence(reason))
            }
            CatalogError::FileChanged { .. } => Self::new("HV000", error.to_string())
                .with_hint("The statement might succeed if retried."),
            CatalogError::FileLacksColumn { column, .. } => Self::new("HV005", error.to_string())
                .with_detail(format!("Column \"{column}\" is declared NOT NULL.")),
            CatalogError::FileColumnType { .. } => Self::new("HV004", error.to_string()),
            CatalogError::DataFusion(inner) => Self::from_datafusion(inner),
            CatalogError::KeyNotComputed { constraint, failure } => {
                let mut own = Self::from_catalog(failure);
                own.object.constraint = Some(constraint.clone());
                own
            }
            CatalogError::Internal(_) => Self::new("XX000", error.to_string()),
        }
    }
}

impl Error {
    /// What opening a file of the server failed with.
    pub(crate) fn file_not_opened(path: &str, aim: &str, error: &io::Error) -> Self {
        let (sqlstate, reason) = match error.kind() {
            io::ErrorKind::NotFound => ("58P01", "No such file or directory".to_owned()),
            io::ErrorKind::PermissionDenied => ("42501", "Permission denied".to_owned()),
            io::ErrorKind::IsADirectory => {
                return Self::new("42809", format!("\"{path}\" is a directory"));
            }
            io::ErrorKind::StorageFull => ("53100", "No space left on device".to_owned()),
            _ => ("58030", error.to_string()),
        };
        Self::new(sqlstate, format!("could not open file \"{path}\" for {aim}: {reason}"))
    }
}

/// What a library says, as a DETAIL: a sentence.
pub(crate) fn sentence(text: &str) -> String {
    format!("{}.", text.lines().next().unwrap_or_default().trim_end_matches('.'))
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        Self::from_catalog(&error)
    }
}
