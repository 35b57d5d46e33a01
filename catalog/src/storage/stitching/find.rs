//! Rows of `identity.nodes` and `identity.records` by their nodes, without a scan.

use std::collections::HashSet;

use clientele_identity::graph::Node;

use super::stored::{Columns, Stored};
use crate::definition::{Column, Oid};
use crate::domains::Subject;
use crate::error::Result;
use crate::features::oids;
use crate::storage::arrays;
use crate::storage::prune::OneOf;
use crate::storage::reader::ColumnReader;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;

/// An identifier or a record as it was first seen.
#[derive(Debug, Clone)]
pub struct FirstSight {
    /// Its node.
    pub node: Node,
    /// Namespace and normalised value of an identifier; `None` for a record.
    pub identifier: Option<(Oid, String)>,
    /// The table.
    pub source: Oid,
    /// Microseconds since 1970.
    pub seen_at: i64,
}

impl Store {
    /// What is stored about nodes. What was seen by two writers at once comes once.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn first_sights(
        &self,
        snapshot: &Snapshot,
        subject: Subject,
        nodes: &[Node],
    ) -> Result<Vec<FirstSight>> {
        let mut stored = Stored::default();
        self.rows_of(snapshot, (oids::NODES, subject), nodes, |rows, row| {
            stored.take_nodes(rows, row)
        })?;
        self.rows_of(snapshot, (oids::RECORDS, subject), nodes, |rows, row| {
            stored.take_records(rows, row)
        })?;
        let identifiers = stored.nodes.into_iter().map(|one| FirstSight {
            node: one.node,
            identifier: Some((one.namespace, one.value)),
            source: one.source,
            seen_at: one.at,
        });
        let records = stored.records.into_iter().map(|one| FirstSight {
            node: one.node,
            identifier: None,
            source: one.source,
            seen_at: one.at,
        });
        let mut known = HashSet::new();
        Ok(identifiers.chain(records).filter(|one| known.insert(one.node)).collect())
    }

    fn rows_of(
        &self,
        snapshot: &Snapshot,
        (relation, subject): (Oid, Subject),
        nodes: &[Node],
        mut take: impl FnMut(&Columns, usize) -> Option<()>,
    ) -> Result<()> {
        let Some(relation) = snapshot.catalog.relation_by_oid(relation) else { return Ok(()) };
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(()) };
        let columns: Vec<&Column> = relation.live_columns().collect();
        let place = columns.iter().position(|one| one.subject == Some(subject)).unwrap_or(0);
        let Some(column) = columns.get(place) else { return Ok(()) };
        let wanted: HashSet<Node> = nodes.iter().copied().collect();
        let condition = [OneOf::numbers(column, wanted.iter().map(|one| i64::from(*one)))];
        for part in table.files.iter() {
            for row in self.shared.values.rows(&part.entry, &condition)? {
                if !part.is_live(row) {
                    continue;
                }
                let row = usize::try_from(row).unwrap_or(usize::MAX);
                let mut reader =
                    ColumnReader::new(&part.entry, columns.clone(), Some(row..row + 1))?;
                if let Some((arrays, _)) = reader.next()? {
                    let rows = Columns(arrays);
                    if rows.number(place, 0).is_some_and(|one| wanted.contains(&one)) {
                        take(&rows, 0);
                    }
                }
            }
        }
        for part in &table.memory {
            for batch in &part.batches {
                let arrays = columns.iter().map(|column| arrays::column_of(batch, column));
                let rows = Columns(arrays.collect::<Result<_>>()?);
                for row in 0..batch.rows {
                    let live = part.is_live(batch.start + u32::try_from(row).unwrap_or(0));
                    if live && rows.number(place, row).is_some_and(|one| wanted.contains(&one)) {
                        take(&rows, row);
                    }
                }
            }
        }
        Ok(())
    }
}
