//! Where rows of some nodes are.

use std::collections::HashSet;

use clientele_identity::graph::Node;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;
use roaring::RoaringBitmap;

use crate::definition::{Column, Oid, Relation};
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::arrays;
use crate::storage::part::{FilePart, PartId, RowAddress};
use crate::storage::prune::OneOf;
use crate::storage::reader::{self, ColumnReader};
use crate::storage::snapshot::Snapshot;
use crate::storage::stitching::identifiers_of;
use crate::storage::store::Store;

/// The columns of a relation that say whose row it is, of people.
pub(in crate::storage) fn person_columns(relation: &Relation) -> Vec<&Column> {
    relation.live_columns().filter(|one| one.subject == Some(Subject::Person)).collect()
}

impl Store {
    /// The live rows of a relation that have one of the nodes in any column that says whose they
    /// are. Row groups are asked by their bloom filters first.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_of_nodes(
        &self,
        snapshot: &Snapshot,
        relation: &Relation,
        nodes: &HashSet<Node>,
    ) -> Result<Vec<RowAddress>> {
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let nodes: RoaringBitmap = nodes.iter().copied().collect();
        if nodes.is_empty() {
            return Ok(found);
        }
        for column in person_columns(relation) {
            for file in table.files.iter() {
                self.rows_of_file(file, column, &nodes, &mut found)?;
            }
            for part in &table.memory {
                for batch in &part.batches {
                    let array = arrays::column_of(batch, column)?;
                    let rows = batch.start..;
                    let live = rows
                        .zip(matches(&array, &nodes))
                        .filter(|(row, one)| *one && part.is_live(*row));
                    found.extend(live.map(|(row, _)| RowAddress { part: part.id, row }));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The live rows of a relation that have one of some identifiers (namespace and normalised
    /// value): for relations that do not say whose their rows are.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_of_identifiers(
        &self,
        snapshot: &Snapshot,
        relation: &Relation,
        identifiers: &HashSet<(Oid, String)>,
    ) -> Result<Vec<RowAddress>> {
        let columns: Vec<&Column> =
            relation.live_columns().filter(|column| column.domain.is_some()).collect();
        let numbers: Vec<i16> = columns.iter().map(|column| column.number).collect();
        let mut found = Vec::new();
        self.node_rows(snapshot, relation, (Subject::Person, &numbers), |rows| {
            for (row, address) in rows.addresses.iter().enumerate() {
                let mut pairs = columns.iter().zip(&rows.columns);
                let is_theirs = pairs.any(|(column, array)| {
                    let text = array.as_string_view_opt().filter(|one| one.is_valid(row));
                    let text = text.map(|one| one.value(row)).unwrap_or_default();
                    let own = identifiers_of(&snapshot.catalog, column, text);
                    own.iter().any(|one| identifiers.contains(one))
                });
                found.extend(is_theirs.then_some(*address));
            }
        })?;
        Ok(found)
    }

    /// Reads what an erasure asks of files first, the filters of the columns that say whose rows they
    /// are: the next erasure finds them in memory. `known` are parts of which that was done before.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn prepare_erasure(&self, known: &HashSet<PartId>) -> Result<HashSet<PartId>> {
        let snapshot = self.snapshot();
        let mut prepared = HashSet::new();
        for (oid, table) in snapshot.tables.iter() {
            let Some(relation) = snapshot.catalog.relation_by_oid(*oid) else { continue };
            for column in person_columns(relation) {
                // Nobody's number.
                let nobody = [OneOf::numbers(column, [i64::MAX].into_iter())];
                for file in table.files.iter() {
                    let part = file.entry.facts.part;
                    if !known.contains(&part) {
                        self.shared.values.rows(&file.entry, &nobody)?;
                    }
                    prepared.insert(part);
                }
            }
        }
        Ok(prepared)
    }

    fn rows_of_file(
        &self,
        file: &FilePart,
        column: &Column,
        nodes: &RoaringBitmap,
        found: &mut Vec<RowAddress>,
    ) -> Result<()> {
        let wanted: Vec<ScalarValue> =
            nodes.iter().map(|node| ScalarValue::Int64(Some(i64::from(node)))).collect();
        let part = file.entry.facts.part;
        let metadata = reader::metadata(&file.entry)?;
        let mut end = 0;
        for (group, facts) in metadata.metadata().row_groups().iter().enumerate() {
            let first = end;
            end += usize::try_from(facts.num_rows()).unwrap_or(0);
            if !self.shared.values.may_have((&file.entry, column, group), &wanted, true)? {
                continue;
            }
            let mut rows = ColumnReader::new(&file.entry, vec![column], Some(first..end))?;
            let mut row = u32::try_from(first).unwrap_or(u32::MAX);
            while let Some((arrays, _)) = rows.next()? {
                for is_theirs in arrays.iter().flat_map(|array| matches(array, nodes)) {
                    if is_theirs && file.is_live(row) {
                        found.push(RowAddress { part, row });
                    }
                    row += 1;
                }
            }
        }
        Ok(())
    }
}

/// Which numbers of an array are among the nodes.
pub(in crate::storage) fn matches<'a>(
    array: &'a ArrayRef,
    nodes: &'a RoaringBitmap,
) -> impl Iterator<Item = bool> + 'a {
    let numbers = array.as_primitive_opt::<Int64Type>();
    // Nearly all are of others.
    let (least, most) = (nodes.min(), nodes.max());
    let near = move |one: &Node| least <= Some(*one) && Some(*one) <= most;
    (0..array.len()).map(move |row| {
        let number = numbers.filter(|_| array.is_valid(row)).map(|numbers| numbers.value(row));
        let number = number.and_then(|one| Node::try_from(one).ok()).filter(near);
        number.is_some_and(|one| nodes.contains(one))
    })
}
