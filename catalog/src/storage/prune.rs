//! Scans for single values: which rows of a file have them.
//!
//! `WHERE email = …` among millions of rows must not decode a million e-mails. Bloom filters say
//! which row groups may have the value; for these a small index, value hash → row, is made when it
//! is first asked for. Both are kept in memory ([`ValueIndexes`]); a file is immutable, so neither grows old.
//! DataFusion's own use of bloom filters reads them from the file for every query.
//!
//! ```text
//! filters ─▶ equalities ─▶ BloomFilters (row groups) ─▶ GroupIndex (rows) ─▶ row selection of a scan
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::bloom_filter::Sbbf;
use roaring::RoaringBitmap;

use super::file::FileEntry;
use super::stitching::Customers;
use super::value_indexes::{Key, Known, ValueIndexes};
use super::{reader, stored};
use crate::definition::{Column, Relation};
use crate::domains::Subject;
use crate::error::Result;

/// Nodes up to which files are asked for each; a scan is as good for more.
const NODES_MAX: usize = 4096;

/// A condition that files can be asked about: the column is one of these values.
#[derive(Debug)]
pub(super) struct OneOf<'a> {
    column: &'a Column,
    values: Vec<Cow<'a, ScalarValue>>,
}

impl<'a> OneOf<'a> {
    /// The column is one of these numbers.
    pub(super) fn numbers(column: &'a Column, numbers: impl Iterator<Item = i64>) -> Self {
        let values = numbers.map(|one| Cow::Owned(ScalarValue::Int64(Some(one)))).collect();
        Self { column, values }
    }
}

/// The conditions of that kind among the filters of a scan.
pub(super) fn equalities<'a>(
    (relation, customers): (&Relation, &Customers),
    columns: &[&'a Column],
    filters: &'a [Expr],
) -> Vec<OneOf<'a>> {
    let conditions = filters.iter().flat_map(split_conjunction);
    conditions
        .filter_map(|condition| {
            let (name, values) = equality(condition)?;
            let column = columns.iter().find(|column| column.name == name)?;
            let askable = values.iter().all(|value| is_askable(value));
            let values = match column.subject {
                Some(subject) => nodes(customers, subject, &values)?,
                None => values.into_iter().map(Cow::Borrowed).collect(),
            };
            (askable && stored::wants_bloom_filter(relation, column))
                .then_some(OneOf { column, values })
        })
        .collect()
}

/// The nodes of customers, which files have in their place.
fn nodes<'a>(
    customers: &Customers,
    subject: Subject,
    values: &[&ScalarValue],
) -> Option<Vec<Cow<'a, ScalarValue>>> {
    let mut nodes = Vec::new();
    for value in values {
        let customer = match value {
            ScalarValue::Int64(Some(one)) => *one,
            ScalarValue::Int32(Some(one)) => i64::from(*one),
            _ => return None,
        };
        nodes.extend(customers.nodes(subject, customer));
    }
    let value = |node| Cow::Owned(ScalarValue::Int64(Some(i64::from(node))));
    (nodes.len() <= NODES_MAX).then(|| nodes.into_iter().map(value).collect())
}

pub(super) fn equality(condition: &Expr) -> Option<(&str, Vec<&ScalarValue>)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _))
                | (Expr::Literal(value, _), Expr::Column(column)) => {
                    Some((&column.name, vec![value]))
                }
                _ => None,
            }
        }
        Expr::InList(list) if !list.negated => {
            let Expr::Column(column) = list.expr.as_ref() else { return None };
            let values = list.list.iter().map(|one| match one {
                Expr::Literal(value, _) => Some(value),
                _ => None,
            });
            Some((&column.name, values.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// Whether the bytes of a value are what the writer put into the filter.
fn is_askable(value: &ScalarValue) -> bool {
    matches!(
        value,
        ScalarValue::Utf8View(Some(_))
            | ScalarValue::Utf8(Some(_))
            | ScalarValue::Int32(Some(_))
            | ScalarValue::Int64(Some(_))
    )
}

fn may_hold(filter: &Sbbf, value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text)) => {
            filter.check(text.as_str())
        }
        ScalarValue::Int32(Some(number)) => filter.check(number),
        ScalarValue::Int64(Some(number)) => filter.check(number),
        _ => true,
    }
}

/// Where values stand in a row group: their hashes, sorted, and their rows in the file.
#[derive(Debug)]
pub(super) struct GroupIndex(Vec<(u32, u32)>);

impl ValueIndexes {
    /// The rows of a file that may fulfil all conditions.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn rows(
        &self,
        entry: &FileEntry,
        conditions: &[OneOf<'_>],
    ) -> Result<RoaringBitmap> {
        let mut rows: Option<RoaringBitmap> = None;
        for condition in conditions {
            let found = self.rows_of(entry, condition)?;
            rows = Some(rows.map_or_else(|| found.clone(), |rows| rows & &found));
        }
        Ok(rows.unwrap_or_default())
    }

    fn rows_of(&self, entry: &FileEntry, condition: &OneOf<'_>) -> Result<RoaringBitmap> {
        let column = condition.column;
        let part = entry.facts.part;
        let filters =
            self.get(Key::Filters(part, column.number), || read_filters(entry, column))?;
        let hashes = hashes_of(condition)?;
        let mut rows = RoaringBitmap::new();
        let Known::Filters(filters) = filters else { return Ok(rows) };
        for (group, filter) in (0_u32..).zip(filters.iter()) {
            let held = |value: &Cow<'_, ScalarValue>| {
                filter.as_ref().is_none_or(|one| may_hold(one, value))
            };
            if !condition.values.iter().any(held) {
                continue;
            }
            let key = Key::Group(part, (column.number, column.pg_type), group);
            let index = self.get(key, || read_index(entry, column, group))?;
            if let Known::Group(index) = index {
                hashes.iter().for_each(|hash| rows.extend(index.rows(*hash)));
            }
        }
        Ok(rows)
    }
}

impl GroupIndex {
    fn rows(&self, hash: u32) -> impl Iterator<Item = u32> {
        let from = self.0.partition_point(|one| one.0 < hash);
        self.0[from..].iter().take_while(move |one| one.0 == hash).map(|one| one.1)
    }
}

/// Hashes that stay the same within this process.
fn hashes(array: &ArrayRef) -> Result<Vec<u32>> {
    let mut wide = vec![0; array.len()];
    create_hashes(std::slice::from_ref(array), &RandomState::with_seed(7), &mut wide)?;
    Ok(wide.into_iter().map(|hash| (hash >> 32) as u32).collect())
}

fn hashes_of(condition: &OneOf<'_>) -> Result<Vec<u32>> {
    let wanted = condition.column.pg_type.arrow();
    let mut all = Vec::with_capacity(condition.values.len());
    for value in &condition.values {
        all.extend(hashes(&cast(&value.to_array()?, &wanted)?)?);
    }
    Ok(all)
}

fn read_filters(entry: &FileEntry, column: &Column) -> Result<(Known, usize)> {
    let metadata = reader::metadata(entry)?;
    let groups = metadata.metadata().num_row_groups();
    let leaves = metadata.parquet_schema().columns();
    let leaf = leaves.iter().position(|leaf| leaf.path().parts() == [column.stored_name.as_str()]);
    let Some(leaf) = leaf else {
        return Ok((Known::Filters(Arc::new(vec![None; groups])), size_of::<Key>()));
    };
    let file = reader::open(entry)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let filters: Vec<Option<Sbbf>> = (0..groups)
        .map(|group| Ok(builder.get_row_group_column_bloom_filter(group, leaf)?))
        .collect::<Result<_>>()?;
    let lengths = builder.metadata().row_groups().iter();
    let lengths = lengths.filter_map(|group| group.column(leaf).bloom_filter_length());
    let bytes = lengths.filter_map(|length| usize::try_from(length).ok()).sum();
    Ok((Known::Filters(Arc::new(filters)), bytes))
}

fn read_index(entry: &FileEntry, column: &Column, group: u32) -> Result<(Known, usize)> {
    let metadata = reader::metadata(entry)?;
    let groups = metadata.metadata().row_groups();
    let size = |group: &parquet::file::metadata::RowGroupMetaData| {
        usize::try_from(group.num_rows()).unwrap_or(0)
    };
    let first: usize = groups.iter().take(group as usize).map(size).sum();
    let length = groups.get(group as usize).map_or(0, size);
    let range = Some(first..first + length);
    let mut rows = reader::ColumnReader::new(entry, vec![column], range)?;
    let mut next = u32::try_from(first).unwrap_or(u32::MAX);
    let mut pairs = Vec::new();
    while let Some((columns, count)) = rows.next()? {
        let Some(array) = columns.first() else { break };
        let nulls = array.logical_nulls();
        let numbered = (next..).zip(hashes(array)?).enumerate();
        let valid = numbered.filter(|(at, _)| nulls.as_ref().is_none_or(|one| one.is_valid(*at)));
        pairs.extend(valid.map(|(_, (row, hash))| (hash, row)));
        next = next.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
    pairs.sort_unstable();
    pairs.shrink_to_fit();
    let bytes = size_of_val(pairs.as_slice()) + size_of::<Key>();
    Ok((Known::Group(Arc::new(GroupIndex(pairs))), bytes))
}
