//! One instant: definitions and rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::part::TableData;
use super::stitching::Customers;
use crate::catalog::Catalog;
use crate::definition::Oid;

pub(super) type Tables = BTreeMap<Oid, Arc<TableData>>;

/// Definitions and rows of one instant. Immutable; holding one keeps its files.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Rises with each group of commits.
    pub version: u64,
    /// The definitions.
    pub catalog: Arc<Catalog>,
    pub(super) tables: Arc<Tables>,
    /// Who is who.
    pub customers: Arc<Customers>,
    /// What a transaction changed; empty in a committed snapshot.
    pub(super) own: Tables,
}

impl Snapshot {
    /// A snapshot without rows.
    pub(super) fn new(catalog: Catalog) -> Self {
        let catalog = Arc::new(catalog);
        Self {
            version: 1,
            catalog,
            tables: Arc::default(),
            customers: Arc::default(),
            own: Tables::new(),
        }
    }

    /// Whether it has nothing that only its transaction has written.
    pub fn is_committed(&self) -> bool {
        self.own.is_empty()
    }

    /// The same rows with other customers.
    #[must_use]
    pub fn with_customers(&self, customers: Arc<Customers>) -> Self {
        Self { customers, ..self.clone() }
    }

    /// The same with other rows of a relation.
    #[must_use]
    pub fn with_rows(&self, relation: Oid, rows: TableData) -> Self {
        let (mut tables, mut own) = (self.tables.as_ref().clone(), self.own.clone());
        own.remove(&relation);
        tables.insert(relation, Arc::new(rows));
        Self { tables: Arc::new(tables), own, ..self.clone() }
    }

    /// The rows of a relation; none for one without.
    pub fn table(&self, relation: Oid) -> Arc<TableData> {
        self.table_ref(relation).map_or_else(Arc::default, Arc::clone)
    }

    pub(super) fn table_ref(&self, relation: Oid) -> Option<&Arc<TableData>> {
        self.own.get(&relation).or_else(|| self.tables.get(&relation))
    }

    /// The relations whose rows a transaction has changed after a version.
    pub fn written_since(&self, version: u64) -> impl Iterator<Item = Oid> {
        let tables = self.tables.iter().filter(move |(_, table)| table.written_in > version);
        tables.map(|(relation, _)| *relation)
    }

    /// Whether a transaction has changed the rows of a relation in it.
    pub fn is_changed(&self, relation: Oid) -> bool {
        self.own.contains_key(&relation)
    }

    /// How many live rows a relation has.
    pub fn row_count(&self, relation: Oid) -> u64 {
        self.table_ref(relation).map_or(0, |table| table.live_rows())
    }

    /// The rows of a relation, to be changed.
    pub(super) fn table_mut(&mut self, relation: Oid) -> &mut TableData {
        let tables = &self.tables;
        let table = self
            .own
            .entry(relation)
            .or_insert_with(|| tables.get(&relation).map_or_else(Arc::default, Arc::clone));
        Arc::make_mut(table)
    }
}
