//! Failures of catalog and storage in PostgreSQL's words.

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

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        Self::from_catalog(&error)
    }
}
