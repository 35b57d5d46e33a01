//! Which rows an access names, in a table of one snapshot.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::concat;

use super::access::Access;
use super::bounds::{self, Bounds};
use super::sort_key;
use super::sorted_block::SortedBlock;
use crate::definition::{Column, Relation};
use crate::error::{Error, Result};
use crate::storage::arrays;
use crate::storage::part::{
    FilePart, MemoryBatch, MemoryPart, OWN_PART, PartId, RowAddress, TableData,
};
use crate::storage::reader::ColumnReader;
use crate::storage::value_indexes::{Key, Known, ValueIndexes};

/// Rows of a batch up to which its order is made again for each search.
const FLEETING_ROWS: usize = 64;
/// Rows of a transaction's own up to which that is done for them: nothing is kept of those.
const OWN_ROWS_MAX: u32 = 4096;
/// A key that is not sorted yet has this many bytes, roughly, for each column.
const COLUMN_BYTES: usize = 16;

/// A search; nothing is read from files unless it may.
pub(super) struct Search<'a> {
    pub(super) values: &'a ValueIndexes,
    pub(super) table: &'a TableData,
    pub(super) relation: &'a Relation,
    pub(super) access: &'a Access,
    pub(super) may_read: bool,
}

/// Why a search does not come to its rows.
#[derive(Debug)]
pub(super) enum Stop {
    /// It does not pay: a scan is as good.
    Declined,
    /// Files have to be read first, which is not to be done here.
    Unread,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Rows that are sorted together: a row group, or a batch in memory.
#[derive(Clone)]
pub(super) enum Place<'a> {
    Group(&'a FilePart, Arc<Vec<Bounds>>, usize),
    Batch(&'a MemoryPart, &'a Arc<MemoryBatch>),
}

impl Place<'_> {
    pub(super) fn part(&self) -> PartId {
        match self {
            Self::Group(part, ..) => part.entry.facts.part,
            Self::Batch(part, _) => part.id,
        }
    }

    pub(super) fn is_live(&self, row: u32) -> bool {
        match self {
            Self::Group(part, ..) => part.is_live(row),
            Self::Batch(part, _) => part.is_live(row),
        }
    }

    /// What its keys lie between, as far as it is known before they are sorted.
    pub(super) fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::Group(_, bounds, at) => bounds.get(*at),
            Self::Batch(..) => None,
        }
    }
}

impl<'a> Search<'a> {
    /// The live rows, as they stand in the table; no more than `most`.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn rows(&self, most: usize) -> Result<Vec<RowAddress>, Stop> {
        let mut found: Vec<RowAddress> = Vec::new();
        for place in self.places()? {
            let block = self.block(&place)?;
            let part = place.part();
            for range in self.within(&block) {
                if found.len() + range.len() > most {
                    return Err(Stop::Declined);
                }
                let rows = block.rows(range).iter().filter(|row| place.is_live(**row));
                found.extend(rows.map(|row| RowAddress { part, row: *row }));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The places of an access's ranges in a block.
    pub(super) fn within(&self, block: &SortedBlock) -> Vec<Range<usize>> {
        let places = self.access.ranges.iter().map(|range| block.places(range));
        places.filter(|places| !places.is_empty()).collect()
    }

    /// Where rows may be.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn places(&self) -> Result<Vec<Place<'a>>, Stop> {
        let own = self.table.memory_part(OWN_PART);
        if own.is_some_and(|own| own.rows > OWN_ROWS_MAX) {
            return Err(Stop::Declined);
        }
        let leading = self.columns().first().copied().ok_or(Stop::Declined)?;
        let (mut places, mut unsorted) = (Vec::new(), 0);
        for part in self.table.files.iter().filter(|part| part.live_rows() > 0) {
            let bounds = bounds::of_file(self.values, &part.entry, leading, self.may_read)?;
            let bounds = bounds.ok_or(Stop::Unread)?;
            for (at, group) in bounds.iter().enumerate() {
                if self.access.ranges.iter().any(|range| group.may_hold(range)) {
                    let place = Place::Group(part, Arc::clone(&bounds), at);
                    unsorted += if self.is_sorted(&place) { 0 } else { group.rows as usize };
                    places.push(place);
                }
            }
        }
        // What would push out itself is not worth to be made.
        let bytes = COLUMN_BYTES * self.access.columns.len() + 2 * size_of::<u32>();
        if unsorted * bytes > self.values.bytes_max() / 2 {
            return Err(Stop::Declined);
        }
        for part in &self.table.memory {
            places.extend(part.batches.iter().map(|batch| Place::Batch(part, batch)));
        }
        Ok(places)
    }

    fn columns(&self) -> Vec<&'a Column> {
        let columns = self.access.columns.iter();
        columns.filter_map(|(number, _)| self.relation.column_by_number(*number)).collect()
    }

    fn key(&self, part: PartId, first: u32, rows: u32) -> Key {
        Key::Sorted { part, columns: Arc::clone(&self.access.columns), first, rows }
    }

    fn key_of(&self, place: &Place<'_>) -> Option<Key> {
        match place {
            Place::Group(part, bounds, at) => {
                let group = bounds.get(*at)?;
                Some(self.key(part.entry.facts.part, group.first, group.rows))
            }
            Place::Batch(part, batch) => {
                let rows = u32::try_from(batch.rows).ok()?;
                let kept = part.id != OWN_PART && batch.rows > FLEETING_ROWS;
                kept.then(|| self.key(part.id, batch.start, rows))
            }
        }
    }

    fn is_sorted(&self, place: &Place<'_>) -> bool {
        self.key_of(place).is_some_and(|key| self.values.known(&key).is_some())
    }

    /// The rows of a place in order.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn block(&self, place: &Place<'_>) -> Result<Arc<SortedBlock>, Stop> {
        let Some(key) = self.key_of(place) else {
            return self.sort(place)?.map(Arc::new).ok_or(Stop::Declined);
        };
        let known = match self.may_read || matches!(place, Place::Batch(..)) {
            true => Some(self.values.get(key, || {
                let block = self.sort(place)?;
                let bytes = block.as_ref().map_or(0, SortedBlock::bytes) + size_of::<Key>();
                Ok((Known::Sorted(block.map(Arc::new)), bytes))
            })?),
            false => self.values.known(&key),
        };
        match known {
            Some(Known::Sorted(block)) => block.ok_or(Stop::Declined),
            _ => Err(Stop::Unread),
        }
    }

    /// `None`: they are too large to be kept in order.
    fn sort(&self, place: &Place<'_>) -> Result<Option<SortedBlock>> {
        let columns = self.columns();
        let (arrays, first) = match place {
            Place::Batch(_, batch) => {
                let arrays = columns.iter().map(|column| arrays::column_of(batch, column));
                (arrays.collect::<Result<Vec<_>>>()?, batch.start)
            }
            Place::Group(part, bounds, at) => {
                let Some(group) = bounds.get(*at) else { return Ok(None) };
                (read(part, &columns, group)?, group.first)
            }
        };
        let types: Vec<_> = columns.iter().map(|column| column.pg_type).collect();
        let keys = sort_key::encode(&types, &arrays)?;
        Ok(match keys.size() > self.values.bytes_max() / 2 {
            true => None,
            false => SortedBlock::new(&keys, first),
        })
    }
}

/// Columns of a row group.
fn read(part: &FilePart, columns: &[&Column], group: &Bounds) -> Result<Vec<ArrayRef>> {
    let (first, rows) = (group.first as usize, group.rows as usize);
    let mut reader = ColumnReader::new(&part.entry, columns.to_vec(), Some(first..first + rows))?;
    let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
    while let Some((arrays, _)) = reader.next()? {
        pieces.iter_mut().zip(arrays).for_each(|(pieces, array)| pieces.push(array));
    }
    let whole = pieces.iter().map(|pieces| {
        let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
        Ok(concat(&pieces)?)
    });
    whole.collect()
}
