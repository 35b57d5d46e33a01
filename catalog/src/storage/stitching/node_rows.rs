//! Rows with their nodes, for matching: what a scan shows as customers is nodes here.

use std::collections::BTreeMap;

use clientele_identity::graph::Node;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int64Type;

use crate::definition::{Column, Oid, Relation};
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::arrays;
use crate::storage::part::{MemoryBatch, PartId, RowAddress, filter_all};
use crate::storage::reader::ColumnReader;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;

/// Live rows of a table.
#[derive(Debug, Clone)]
pub struct NodeRows {
    /// The node of each row; 0: none.
    pub nodes: Vec<Node>,
    /// Where each row is.
    pub addresses: Vec<RowAddress>,
    /// The columns that were asked for.
    pub columns: Vec<ArrayRef>,
}

impl Store {
    /// The live rows of a relation, batch by batch: nodes and some columns, by number. Columns of
    /// customers among them are nodes, too.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn node_rows(
        &self,
        snapshot: &Snapshot,
        relation: &Relation,
        (subject, numbers): (Subject, &[i16]),
        mut take: impl FnMut(NodeRows),
    ) -> Result<()> {
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(()) };
        let of_subject = relation.live_columns().find(|one| one.subject == Some(subject));
        let wanted = numbers.iter().filter_map(|number| relation.column_by_number(*number));
        let columns: Vec<&Column> = of_subject.into_iter().chain(wanted).collect();
        let mut take = |rows: &MemoryBatch,
                        part: u32,
                        deleted: Option<&roaring::RoaringBitmap>|
         -> Result<()> {
            let mask = rows.live_mask(deleted);
            let arrays = filter_all(&rows.arrays, mask.as_ref())?;
            let all = (rows.start..).take(rows.rows);
            let live = all.filter(|row| !deleted.is_some_and(|one| one.contains(*row)));
            let addresses = live.map(|row| RowAddress { part, row }).collect::<Vec<_>>();
            let mut arrays = arrays.into_iter();
            let nodes = match of_subject {
                Some(_) => arrays.next().map(|array| nodes_of(&array)).unwrap_or_default(),
                None => vec![0; addresses.len()],
            };
            take(NodeRows { nodes, addresses, columns: arrays.collect() });
            Ok(())
        };
        let columns_of = || columns.iter().map(|column| column.number).collect();
        for part in table.files.iter() {
            let mut reader = ColumnReader::new(&part.entry, columns.clone(), None)?;
            let mut start = 0;
            while let Some((arrays, rows)) = reader.next()? {
                let batch = MemoryBatch { start, columns: columns_of(), arrays, rows };
                take(&batch, part.entry.facts.part, part.deleted.as_deref())?;
                start += u32::try_from(rows).unwrap_or(0);
            }
        }
        for part in &table.memory {
            for batch in &part.batches {
                let arrays = columns.iter().map(|column| arrays::column_of(batch, column));
                let arrays = arrays.collect::<Result<Vec<_>>>()?;
                let (start, rows) = (batch.start, batch.rows);
                let batch = MemoryBatch { start, columns: columns_of(), arrays, rows };
                take(&batch, part.id, part.deleted.as_deref())?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// The nodes of rows, in their order; 0 for none.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn nodes_at(
        &self,
        snapshot: &Snapshot,
        (relation, subject): (Oid, Subject),
        addresses: &[RowAddress],
    ) -> Result<Vec<Node>> {
        let mut nodes = vec![0; addresses.len()];
        let Some(relation) = snapshot.catalog.relation_by_oid(relation) else { return Ok(nodes) };
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(nodes) };
        let column = relation.live_columns().find(|one| one.subject == Some(subject));
        let Some(column) = column else { return Ok(nodes) };
        let mut in_files: BTreeMap<PartId, Vec<(usize, u32)>> = BTreeMap::new();
        for (at, address) in addresses.iter().enumerate() {
            let Some(part) = table.memory_part(address.part) else {
                in_files.entry(address.part).or_default().push((at, address.row));
                continue;
            };
            if let Some((batch, row)) = part.locate(address.row) {
                let array = arrays::column_of(batch, column)?;
                nodes[at] = nodes_of(&array.slice(row, 1)).first().copied().unwrap_or(0);
            }
        }
        for (part, mut wanted) in in_files {
            let Some(part) = table.file_part(part) else { continue };
            wanted.sort_unstable_by_key(|(_, row)| *row);
            let (Some((_, first)), Some((_, last))) = (wanted.first(), wanted.last()) else {
                continue;
            };
            let rows =
                usize::try_from(*first).unwrap_or(0)..usize::try_from(*last).unwrap_or(0) + 1;
            let mut found = Vec::with_capacity(rows.len());
            let start = rows.start;
            let mut reader = ColumnReader::new(&part.entry, vec![column], Some(rows))?;
            while let Some((arrays, _)) = reader.next()? {
                found.extend(arrays.first().map(nodes_of).unwrap_or_default());
            }
            for (at, row) in wanted {
                let row = usize::try_from(row).unwrap_or(0) - start;
                nodes[at] = found.get(row).copied().unwrap_or(0);
            }
        }
        Ok(nodes)
    }
}

fn nodes_of(array: &ArrayRef) -> Vec<Node> {
    let Some(numbers) = array.as_primitive_opt::<Int64Type>() else {
        return vec![0; array.len()];
    };
    let node = |number: Option<i64>| number.and_then(|one| Node::try_from(one).ok()).unwrap_or(0);
    numbers.iter().map(node).collect()
}
