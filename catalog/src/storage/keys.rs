//! Keys: what a unique constraint compares, as 128-bit keyed hashes.
//!
//! Two keys with one hash would be taken for one key. With a secret random hash key and 10^10 keys
//! the chance of any such pair is below 10^-18.

use std::hash::Hasher;
use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::part::MemoryBatch;
use crate::computed_key::Keys;
use crate::definition::{Column, Constraint, ConstraintKind, Oid, Relation};
use crate::error::{Error, Result};

/// Hashes of the rows of a batch under one constraint; `None` for a key with a NULL.
pub(super) type Hashes = Vec<Option<u128>>;

/// Hashes keys with a key that only this database has.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyHasher(pub(super) [u8; 16]);

enum KeyColumn {
    Integer(ArrayRef),
    Decimal(ArrayRef),
    Text(ArrayRef, bool),
    /// Equal numbers have equal keys, with whatever scale they are shown.
    Number(ArrayRef),
    Encoded(ArrayRef, Rows),
}

impl KeyColumn {
    fn new(array: &ArrayRef, pg_type: PgType) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integer(Arc::clone(array)),
            DataType::Int16 | DataType::Int32 => Self::Integer(cast(array, &DataType::Int64)?),
            DataType::Date32 => {
                Self::Integer(cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?)
            }
            DataType::Timestamp(..) | DataType::Time64(_) => {
                Self::Integer(cast(array, &DataType::Int64)?)
            }
            DataType::Decimal128(..) => Self::Decimal(Arc::clone(array)),
            DataType::LargeBinary => {
                let keys = clientele_udfs::numeric::column::keys(array);
                Self::Number(keys.map_err(|error| Error::Internal(error.to_string()))?)
            }
            // The manual, 8.3: trailing spaces of `character` are not significant.
            DataType::Utf8View => Self::Text(Arc::clone(array), pg_type.oid == PgType::BPCHAR.oid),
            other => {
                let converter = RowConverter::new(vec![SortField::new(other.clone())])?;
                Self::Encoded(
                    Arc::clone(array),
                    converter.convert_columns(std::slice::from_ref(array))?,
                )
            }
        })
    }

    /// Feeds the value; false when it is NULL.
    fn feed(&self, row: usize, hasher: &mut SipHasher13) -> bool {
        let array = match self {
            Self::Integer(array)
            | Self::Decimal(array)
            | Self::Text(array, _)
            | Self::Number(array) => array,
            Self::Encoded(array, _) => array,
        };
        if array.is_null(row) {
            return false;
        }
        match self {
            Self::Integer(array) => hasher.write_i64(array.as_primitive::<Int64Type>().value(row)),
            Self::Decimal(array) => {
                hasher.write_i128(array.as_primitive::<Decimal128Type>().value(row))
            }
            Self::Number(array) => {
                let bytes = array.as_binary::<i64>().value(row);
                hasher.write_usize(bytes.len());
                hasher.write(bytes);
            }
            Self::Text(array, padded) => {
                let text = array.as_string_view().value(row);
                let text = if *padded { text.trim_end_matches(' ') } else { text };
                hasher.write_usize(text.len());
                hasher.write(text.as_bytes());
            }
            Self::Encoded(_, rows) => hasher.write(rows.row(row).as_ref()),
        }
        true
    }
}

impl KeyHasher {
    /// Hashes one key for each row.
    ///
    /// # Errors
    /// A column's type cannot be a key.
    pub(super) fn hash(&self, columns: &[(ArrayRef, PgType)], rows: usize) -> Result<Hashes> {
        let columns: Vec<KeyColumn> = columns
            .iter()
            .map(|(array, pg_type)| KeyColumn::new(array, *pg_type))
            .collect::<Result<_>>()?;
        let hash = |row| {
            let mut hasher = SipHasher13::new_with_key(&self.0);
            let whole = columns.iter().all(|column| column.feed(row, &mut hasher));
            whole.then(|| hasher.finish128().as_u128())
        };
        Ok((0..rows).map(hash).collect())
    }

    /// Hashes the keys of a memory batch under a unique constraint; `None`: nobody has compiled
    /// the expressions of its index.
    ///
    /// # Errors
    /// As [`KeyHasher::hash`], and what an expression refuses.
    pub(super) fn hash_constraint(
        &self,
        relation: &Relation,
        constraint: &Constraint,
        batch: &MemoryBatch,
    ) -> Result<Option<Hashes>> {
        match &constraint.kind {
            ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => {
                self.hash_batch(relation, columns, batch).map(Some)
            }
            _ => match computed(relation, constraint, batch)? {
                Some(keys) => self.hash_computed(&keys, batch.rows).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Hashes keys that were computed, of the rows that their index is over.
    ///
    /// # Errors
    /// As [`KeyHasher::hash`].
    pub(super) fn hash_computed(&self, keys: &Keys, rows: usize) -> Result<Hashes> {
        let hashes = self.hash(&keys.parts, rows)?.into_iter().enumerate();
        Ok(hashes.map(|(row, hash)| hash.filter(|_| keys.has(row))).collect())
    }

    /// Hashes the keys of a memory batch.
    ///
    /// # Errors
    /// As [`KeyHasher::hash`].
    pub(super) fn hash_batch(
        &self,
        relation: &Relation,
        columns: &[i16],
        batch: &MemoryBatch,
    ) -> Result<Hashes> {
        let columns = key_columns(relation, columns)?;
        let columns: Vec<(ArrayRef, PgType)> = columns
            .into_iter()
            .map(|column| Ok((super::arrays::column_of(batch, column)?, column.pg_type)))
            .collect::<Result<_>>()?;
        self.hash(&columns, batch.rows)
    }
}

/// The columns of a key.
///
/// # Errors
/// The relation has no such column.
pub(super) fn key_columns<'a>(relation: &'a Relation, numbers: &[i16]) -> Result<Vec<&'a Column>> {
    let find = |number: &i16| {
        relation.column_by_number(*number).ok_or_else(|| {
            Error::Internal(format!("a key names column {number}, which is not there"))
        })
    };
    numbers.iter().map(find).collect()
}

/// Refuses to write rows whose keys nobody has compiled.
///
/// # Errors
/// The engine has not said how the keys of an index are computed.
pub(super) fn ready(relation: &Relation) -> Result<()> {
    let computed = |one: &&Constraint| matches!(one.kind, ConstraintKind::UniqueIndex { .. });
    let mut computed = relation.unique_constraints().filter(computed);
    match computed.find(|one| one.computed.get(relation).is_none()) {
        None => Ok(()),
        Some(index) => Err(not_compiled(index)),
    }
}

pub(super) fn not_compiled(index: &Constraint) -> Error {
    Error::Internal(format!("the keys of index \"{}\" are not compiled", index.name))
}

/// Hashes of a batch under every unique constraint of its relation whose keys are known.
///
/// # Errors
/// As [`KeyHasher::hash`].
pub(super) fn hash_all(
    hasher: KeyHasher,
    relation: &Relation,
    batch: &MemoryBatch,
) -> Result<Vec<(Oid, Hashes)>> {
    let hashes = |constraint: &Constraint| {
        let hashes = hasher.hash_constraint(relation, constraint, batch).transpose()?;
        Some(hashes.map(|hashes| (constraint.oid, hashes)))
    };
    relation.unique_constraints().filter_map(hashes).collect()
}

/// A key as the DETAIL line shows it: `(id)=(17)`.
pub(super) fn key_text(
    relation: &Relation,
    constraint: Oid,
    batch: &MemoryBatch,
    row: usize,
) -> Option<String> {
    let constraint = relation.unique_constraint(constraint)?;
    let (numbers, expressions) = match &constraint.kind {
        ConstraintKind::UniqueIndex { columns, expressions, .. } => (columns, expressions),
        ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => {
            let arrays = columns.iter().map(|number| batch.column(*number));
            return text(relation, columns, &arrays.collect::<Option<Vec<_>>>()?, row);
        }
        _ => return None,
    };
    let keys = computed(relation, constraint, batch).ok()??;
    let mut expressions = expressions.iter().cloned();
    let name = |number: &i16| match number {
        0 => expressions.next(),
        number => relation.column_by_number(*number).map(|one| one.name.clone()),
    };
    let names = numbers.iter().map(name).collect::<Option<Vec<_>>>()?;
    let values = keys.parts.iter().map(|(array, _)| value(array, row));
    let values = values.collect::<Option<Vec<_>>>()?;
    Some(format!("({})=({})", names.join(", "), values.join(", ")))
}

/// The keys of a batch under an index on expressions; `None`: nobody has compiled them.
///
/// # Errors
/// What an expression refuses.
fn computed(
    relation: &Relation,
    constraint: &Constraint,
    batch: &MemoryBatch,
) -> Result<Option<Keys>> {
    let Some(key) = constraint.computed.get(relation) else { return Ok(None) };
    let arrays = relation.live_columns().map(|column| super::arrays::column_of(batch, column));
    let keys = key.of(arrays.collect::<Result<_>>()?, batch.rows);
    keys.map(Some).map_err(|error| error.of_key(&constraint.name))
}

/// The values of the first row's columns under the names of another relation's.
pub(super) fn text_of(
    (named, names): (&Relation, &[i16]),
    (relation, columns): (&Relation, &[i16]),
    rows: &RecordBatch,
) -> Option<String> {
    let array = |number: &i16| {
        rows.columns().get(relation.live_columns().position(|one| one.number == *number)?)
    };
    let arrays = columns.iter().map(array).collect::<Option<Vec<_>>>()?;
    if rows.num_rows() == 0 { None } else { text(named, names, &arrays, 0) }
}

fn text(relation: &Relation, names: &[i16], arrays: &[&ArrayRef], row: usize) -> Option<String> {
    let (mut shown, mut values) = (Vec::new(), Vec::new());
    for (number, array) in names.iter().zip(arrays) {
        shown.push(relation.column_by_number(*number)?.name.clone());
        values.push(value(array, row)?);
    }
    Some(format!("({})=({})", shown.join(", "), values.join(", ")))
}

fn value(array: &ArrayRef, row: usize) -> Option<String> {
    if *array.data_type() == DataType::LargeBinary {
        let bytes = array.as_binary::<i64>().value(row);
        return Some(clientele_udfs::numeric::stored::read(bytes).to_string());
    }
    let options = FormatOptions::new()
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f+00"));
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).ok()?;
    formatter.value(row).try_to_string().ok()
}
