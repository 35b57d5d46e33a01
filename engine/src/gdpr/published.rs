//! Published Delta tables below the data directory: they have copies of rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clientele_catalog::definition::Database;
use clientele_catalog::storage::Store;

use crate::engine::Engine;
use crate::error::Result;
use crate::functions::publishing::delta_directory;

/// The copies of one database.
pub(super) struct Copies {
    /// Name of the database.
    pub(super) database: String,
    root: PathBuf,
}

impl Copies {
    pub(super) fn of(engine: &Engine, database: &Database) -> Self {
        Self { database: database.name.clone(), root: engine.cluster.directory().to_owned() }
    }

    /// Publishes every table anew that was published, and unlinks the files of older versions.
    /// Returns how many tables there are.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub(super) async fn renew(&self, store: &Store) -> Result<u64> {
        let snapshot = store.snapshot();
        let mut count = 0;
        for relation in snapshot.catalog.relations().filter(|one| one.stores_rows()) {
            let schema = snapshot.catalog.schema_by_oid(relation.schema);
            let schema = schema.map(|one| one.name.clone()).unwrap_or_default();
            let directory = delta_directory(&self.root, &self.database, (&schema, &relation.name));
            if directory.is_dir() {
                let how = (Duration::ZERO, Arc::default());
                store.publish_delta(relation.oid, &directory, how).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}
