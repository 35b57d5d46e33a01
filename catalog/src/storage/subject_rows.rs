//! The rows of a few customers, by the index of their nodes: without a scan.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{Int64Type, SchemaRef};
use hashbrown::HashSet;
use roaring::RoaringBitmap;

use super::part::{FilePart, MemoryBatch, MemoryPart};
use super::prune::OneOf;
use super::row_cache::BLOCK_ROWS;
use super::snapshot::Snapshot;
use super::stitching::Customers;
use super::store::Store;
use super::stored;
use crate::definition::{Column, Relation};
use crate::domains::Subject;
use crate::error::Result;

/// Rows of files, and nodes, up to which they are looked up; a scan is as good for more.
const ROWS_MAX: u64 = 4096;

/// What is looked up.
struct Wanted<'a> {
    relation: &'a Relation,
    customers: &'a Customers,
    /// The column that says whose a row is.
    key: &'a Column,
    nodes: HashSet<i64>,
    /// The columns of the answer.
    columns: Vec<&'a Column>,
    schema: SchemaRef,
}

impl Store {
    /// The live rows of customers, in some of the relation's live columns (by place) as queries see
    /// them. `None`: they are too many to look up, or nothing says where they are.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows_of_customers(
        &self,
        snapshot: &Snapshot,
        relation: &Relation,
        (subject, customers): (Subject, &[i64]),
        (projection, schema): (&[usize], &SchemaRef),
    ) -> Result<Option<Vec<RecordBatch>>> {
        let live: Vec<&Column> = relation.live_columns().collect();
        let key = live.iter().find(|column| column.subject == Some(subject));
        let Some(key) = key.filter(|key| stored::wants_bloom_filter(relation, key)) else {
            return Ok(None);
        };
        let nodes = customers.iter().flat_map(|one| snapshot.customers.nodes(subject, *one));
        let nodes: HashSet<i64> = nodes.map(i64::from).collect();
        let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(Some(Vec::new())) };
        if nodes.len() as u64 > ROWS_MAX {
            return Ok(None);
        }
        let columns = projection.iter().filter_map(|place| live.get(*place).copied()).collect();
        let customers = snapshot.customers.as_ref();
        let schema = Arc::clone(schema);
        let wanted = Wanted { relation, customers, key, nodes, columns, schema };
        let mut found = Vec::new();
        let mut left = ROWS_MAX;
        for part in table.files.iter() {
            let rows = self.rows_in(part, &wanted)?;
            let Some(after) = left.checked_sub(rows.len()) else { return Ok(None) };
            left = after;
            self.read_rows(part, &rows, &wanted, &mut found)?;
        }
        for part in &table.memory {
            for batch in &part.batches {
                found.extend(wanted.of_memory(part, batch)?);
            }
        }
        Ok(Some(found))
    }

    /// Live rows of a file that may be wanted.
    fn rows_in(&self, part: &FilePart, wanted: &Wanted<'_>) -> Result<RoaringBitmap> {
        let condition = OneOf::numbers(wanted.key, wanted.nodes.iter().copied());
        let mut rows = self.shared.values.rows(&part.entry, &[condition])?;
        if let Some(deleted) = part.deleted.as_deref() {
            rows -= deleted;
        }
        Ok(rows)
    }

    fn read_rows(
        &self,
        part: &FilePart,
        rows: &RoaringBitmap,
        wanted: &Wanted<'_>,
        found: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        let mut blocks: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for row in rows {
            blocks.entry(row / BLOCK_ROWS).or_default().push(row % BLOCK_ROWS);
        }
        let numbers: Vec<i16> =
            wanted.columns.iter().chain([&wanted.key]).map(|column| column.number).collect();
        for (block, places) in blocks {
            let of = (block * BLOCK_ROWS, wanted.relation, numbers.as_slice());
            let rows = self.shared.rows.block(&part.entry, of)?;
            found.extend(wanted.of_block(&rows, places)?);
        }
        Ok(())
    }
}

impl Wanted<'_> {
    /// Rows of a batch in memory.
    fn of_memory(&self, part: &MemoryPart, batch: &MemoryBatch) -> Result<Option<RecordBatch>> {
        let live = |place: &u32| part.is_live(batch.start + place);
        let rows = u32::try_from(batch.rows).unwrap_or(0);
        self.of_block(batch, (0..rows).filter(live).collect())
    }

    /// Rows of a block by place; only those that are wanted indeed.
    fn of_block(&self, block: &MemoryBatch, mut places: Vec<u32>) -> Result<Option<RecordBatch>> {
        let nodes = super::arrays::column_of(block, self.key)?;
        let Some(nodes) = nodes.as_primitive_opt::<Int64Type>() else { return Ok(None) };
        places.retain(|place| {
            let place = *place as usize;
            place < nodes.len() && nodes.is_valid(place) && self.nodes.contains(&nodes.value(place))
        });
        if places.is_empty() {
            return Ok(None);
        }
        let places = UInt32Array::from(places);
        let few = |array: ArrayRef| -> Result<ArrayRef> { Ok(take(&array, &places, None)?) };
        let arrays = self.columns.iter().map(|column| {
            let array = few(super::arrays::column_of(block, column)?)?;
            Ok(match column.subject {
                Some(subject) => self.customers.show(subject, &array),
                None => array,
            })
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?))
    }
}
