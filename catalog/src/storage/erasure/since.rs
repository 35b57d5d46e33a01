//! What was erased lately: transactions that began before must not bring it back.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use clientele_identity::graph::Node;

use super::rows::{matches, person_columns};
use crate::domains::Subject;
use crate::error::{Error, Result};
use crate::storage::arrays;
use crate::storage::prepare::{Prepared, PreparedTable};
use crate::storage::reader::ColumnReader;

/// Erased nodes by the version of the snapshot that was the first without them.
#[derive(Debug, Default)]
pub(in crate::storage) struct Erased(BTreeMap<u64, Arc<HashSet<Node>>>);

impl Erased {
    /// Notes nodes that are gone from `version` on.
    pub(in crate::storage) fn add(&mut self, version: u64, nodes: &[Node]) {
        if !nodes.is_empty() {
            Arc::make_mut(self.0.entry(version).or_default()).extend(nodes);
        }
    }

    /// Forgets what every transaction that is under way has seen.
    pub(in crate::storage) fn forget_until(&mut self, version: u64) {
        self.0.retain(|since, _| *since > version);
    }

    /// Refuses a transaction that writes what was erased since it began.
    ///
    /// # Errors
    /// [`Error::Conflict`]; a file cannot be read.
    pub(in crate::storage) fn check(&self, prepared: &Prepared) -> Result<()> {
        let since = self.0.range(prepared.base.version + 1..);
        for (_, nodes) in since {
            if prepared.gathered.names(Subject::Person, nodes) {
                return Err(Error::Conflict);
            }
            for table in &prepared.tables {
                if writes(table, nodes)? {
                    return Err(Error::Conflict);
                }
            }
        }
        Ok(())
    }
}

/// Whether new rows are of one of the nodes.
fn writes(table: &PreparedTable, nodes: &HashSet<Node>) -> Result<bool> {
    let nodes = &nodes.iter().copied().collect();
    for column in person_columns(&table.relation) {
        if let Some(rows) = &table.rows
            && matches(&arrays::column_of(rows, column)?, nodes).any(|one| one)
        {
            return Ok(true);
        }
        for (part, _) in &table.files {
            let mut reader = ColumnReader::new(&part.entry, vec![column], None)?;
            while let Some((found, _)) = reader.next()? {
                if found.iter().any(|array| matches(array, nodes).any(|one| one)) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}
