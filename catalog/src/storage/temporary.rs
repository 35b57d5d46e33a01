//! Temporary relations: definitions and rows that one session alone sees, in memory only.

use std::sync::Arc;

use parking_lot::Mutex;

use super::snapshot::{Snapshot, Tables};
use crate::catalog::Catalog;
use crate::definition::{Object, Oid, Schema};

/// A session's temporary relations. A committed transaction hands back the next one.
#[derive(Debug)]
pub struct TemporarySpace {
    schema: Schema,
    pub(super) objects: std::collections::BTreeMap<Oid, Object>,
    pub(super) tables: Tables,
    /// The last catalog that was laid under the objects, and the result.
    overlaid: Mutex<Option<(Arc<Catalog>, Arc<Catalog>)>>,
}

impl Clone for TemporarySpace {
    fn clone(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            objects: self.objects.clone(),
            tables: self.tables.clone(),
            overlaid: Mutex::new(None),
        }
    }
}

impl TemporarySpace {
    /// A space without relations. Its schema shows in the catalog from the first relation on.
    pub fn new(schema: Schema) -> Self {
        let overlaid = Mutex::new(None);
        Self { schema, objects: Default::default(), tables: Tables::new(), overlaid }
    }

    /// The schema that temporary relations are in.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether there are no temporary relations.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The definitions in it.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// The space without relations that are dropped at commit, or without all (`DISCARD TEMP`).
    #[must_use]
    pub fn cleared(&self) -> Self {
        Self::new(self.schema.clone())
    }

    /// Whether that OID is one of its objects.
    pub(super) fn contains(&self, oid: Oid) -> bool {
        self.objects.contains_key(&oid)
    }

    /// The snapshot with the temporary relations in it.
    pub(super) fn over(&self, base: &Arc<Snapshot>) -> Arc<Snapshot> {
        if self.is_empty() {
            return Arc::clone(base);
        }
        let catalog = self.catalog_over(&base.catalog);
        Arc::new(Snapshot { catalog, own: self.tables.clone(), ..base.as_ref().clone() })
    }

    fn catalog_over(&self, base: &Arc<Catalog>) -> Arc<Catalog> {
        let mut overlaid = self.overlaid.lock();
        if let Some((under, over)) = overlaid.as_ref()
            && Arc::ptr_eq(under, base)
        {
            return Arc::clone(over);
        }
        let mut catalog = base.as_ref().clone();
        catalog.put(Object::Schema(self.schema.clone()));
        for object in self.objects.values() {
            catalog.put(object.clone());
        }
        let catalog = Arc::new(catalog);
        *overlaid = Some((Arc::clone(base), Arc::clone(&catalog)));
        catalog
    }
}
