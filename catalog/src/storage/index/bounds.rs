//! The least and the largest value of a column in each row group of a file, as bytes that sort.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::sort_key::{self, KeyRange, after};
use crate::definition::Column;
use crate::error::Result;
use crate::storage::file::FileEntry;
use crate::storage::value_indexes::{Key, Known, ValueIndexes};
use crate::storage::{arrays, reader};

/// What a row group holds of a column.
#[derive(Debug)]
pub(in crate::storage) struct Bounds {
    /// Rows of the file before it.
    pub(super) first: u32,
    pub(super) rows: u32,
    /// Every key of the column lies in it.
    range: KeyRange,
}

impl Bounds {
    /// Whether keys that begin with the column's may be in a range.
    pub(super) fn may_hold(&self, range: &KeyRange) -> bool {
        let below = range.to.as_ref().is_some_and(|to| *to <= self.range.from);
        let above = self.range.to.as_ref().is_some_and(|to| *to <= range.from);
        !below && !above
    }

    /// What no key is below.
    pub(super) fn from(&self) -> &[u8] {
        &self.range.from
    }

    /// What every key is below; `None`: nothing.
    pub(super) fn to(&self) -> Option<&[u8]> {
        self.range.to.as_deref()
    }
}

/// The bounds of a file's row groups; `None`: they have to be read, which is not to be done now.
///
/// # Errors
/// The file cannot be read.
pub(super) fn of_file(
    values: &ValueIndexes,
    entry: &FileEntry,
    column: &Column,
    may_read: bool,
) -> Result<Option<Arc<Vec<Bounds>>>> {
    let key = Key::Bounds(entry.facts.part, (column.number, column.pg_type));
    let known = match may_read {
        true => Some(values.get(key, || read(entry, column))?),
        false => values.known(&key),
    };
    Ok(match known {
        Some(Known::Bounds(bounds)) => Some(bounds),
        _ => None,
    })
}

fn read(entry: &FileEntry, column: &Column) -> Result<(Known, usize)> {
    let metadata = reader::metadata(entry)?;
    let groups = metadata.metadata().row_groups();
    let open = || KeyRange { from: Vec::new(), to: None };
    let held = entry.facts.columns.contains(&column.number);
    let converter = StatisticsConverter::try_new(
        &column.stored_name,
        metadata.schema(),
        metadata.parquet_schema(),
    );
    let ranges = match converter.ok().filter(|_| held) {
        Some(converter) => {
            let converter = converter.with_missing_null_counts_as_zero(false);
            let least = converter.row_group_mins(groups)?;
            let most = converter.row_group_maxes(groups)?;
            let nulls = converter.row_group_null_counts(groups)?;
            let (least, most) = (keys(&least, column.pg_type)?, keys(&most, column.pg_type)?);
            let ends = least.into_iter().zip(most).zip(nulls.iter());
            let range = |((least, most), nulls): ((Vec<u8>, Vec<u8>), Option<u64>)| {
                match sort_key::is_null(&least) || sort_key::is_null(&most) {
                    true => open(),
                    false => {
                        KeyRange { from: least, to: after(&most).filter(|_| nulls == Some(0)) }
                    }
                }
            };
            ends.map(range).collect()
        }
        None => groups.iter().map(|_| open()).collect::<Vec<_>>(),
    };
    let mut first = 0;
    let bounds = groups.iter().zip(ranges).map(|(group, range)| {
        let rows = u32::try_from(group.num_rows()).unwrap_or(0);
        let bounds = Bounds { first, rows, range };
        first += rows;
        bounds
    });
    let bounds: Vec<Bounds> = bounds.collect();
    let size = |one: &Bounds| {
        size_of::<Bounds>() + one.range.from.len() + one.range.to.as_ref().map_or(0, Vec::len)
    };
    let bytes = bounds.iter().map(size).sum();
    Ok((Known::Bounds(Arc::new(bounds)), bytes))
}

fn keys(values: &ArrayRef, pg_type: PgType) -> Result<Vec<Vec<u8>>> {
    let values = arrays::fit(values, pg_type)?;
    let rows = sort_key::encode(&[pg_type], &[Arc::clone(&values)])?;
    Ok((0..values.len()).map(|row| rows.row(row).data().to_vec()).collect())
}
