//! From an identifier to the customers whose rows have it.

use std::sync::Arc;

use clientele_identity::graph::{Key, Node};

use super::rules::Blocked;
use crate::catalog::Catalog;
use crate::definition::Oid;
use crate::domains::{self, Subject};
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;

/// Rows of an identifier that are looked at; one with more identifies nobody.
const RECORDS_MAX: usize = 4096;

/// The values that say nothing, such as `unknown`: rows of `identity.blocked_values`.
#[derive(Debug, Clone)]
pub struct Placeholders {
    blocked: Arc<Blocked>,
    catalog: Arc<Catalog>,
}

impl Placeholders {
    /// Whether a value of a domain says nothing.
    pub fn contains(&self, domain: Oid, value: &str) -> bool {
        let meaning = domains::meaning(&self.catalog, domain);
        let normal = meaning.and_then(|meaning| (meaning.normalize)(value));
        let patterns = self.blocked.of(&self.catalog, domain);
        patterns.blocks(normal.as_deref().unwrap_or(value))
    }
}

impl Store {
    /// The values that say nothing, for the domains of a snapshot.
    pub fn placeholders(&self, snapshot: &Snapshot) -> Placeholders {
        let blocked = self.shared.identity.blocked();
        Placeholders { blocked, catalog: Arc::clone(&snapshot.catalog) }
    }

    /// The customers (or companies) that have a row with an identifier, given by its namespace and
    /// its normalised value; `None` when it stands on too many rows to say.
    ///
    /// An identifier that is blocked, quarantined or contested stands on rows of several customers.
    pub fn customers_with(
        &self,
        snapshot: &Snapshot,
        subject: Subject,
        (namespace, value): (Oid, &str),
    ) -> Option<Vec<i64>> {
        let identity = &self.shared.identity;
        let Some(node) = identity.nodes(subject).find(Key::of_identifier(namespace, value)) else {
            return Some(Vec::new());
        };
        let records: Vec<Node> =
            identity.read(subject, |graph| graph.records_of(node).take(RECORDS_MAX + 1).collect());
        if records.len() > RECORDS_MAX {
            return None;
        }
        let customers = snapshot.customers.of(subject);
        let nodes = std::iter::once(node).chain(records);
        let mut found: Vec<i64> = nodes.map(|node| i64::from(customers.customer(node))).collect();
        found.retain(|customer| *customer != 0);
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}
