//! Keys of unique indexes on expressions, or over some of the rows (manual: indexes-expressional,
//! indexes-partial).
//!
//! A definition has the expressions as SQL. The engine compiles them when somebody is about to
//! write to the table; from then on whoever needs the keys of its rows, those that were there
//! before included, has them from here.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatchOptions;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::physical_expr::PhysicalExpr;
use parking_lot::RwLock;

use crate::definition::Relation;
use crate::error::{Error, Result};

/// The expressions of an index, compiled for the rows of a relation.
#[derive(Debug)]
pub struct ComputedKey {
    /// The columns that the relation had then.
    columns: Vec<(i16, PgType)>,
    schema: SchemaRef,
    keys: Vec<(Arc<dyn PhysicalExpr>, PgType)>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
}

/// The keys of some rows.
pub(crate) struct Keys {
    /// Each part of the key.
    pub(crate) parts: Vec<(ArrayRef, PgType)>,
    /// Which rows the index is over; `None`: all.
    over: Option<BooleanArray>,
}

impl Keys {
    /// Whether the index is over a row.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.over.as_ref().is_none_or(|over| over.is_valid(row) && over.value(row))
    }
}

impl ComputedKey {
    /// Of expressions over a relation's live columns, in their order.
    pub fn new(
        relation: &Relation,
        keys: Vec<(Arc<dyn PhysicalExpr>, PgType)>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> Self {
        let fields = relation.live_columns().map(|column| column.pg_type.field(&column.name, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()));
        Self { columns: columns(relation), schema, keys, predicate }
    }

    /// The keys of rows that are given by the relation's live columns.
    ///
    /// # Errors
    /// What an expression refuses.
    pub(crate) fn of(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<Keys> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let value = |expr: &Arc<dyn PhysicalExpr>| -> Result<ArrayRef> {
            Ok(expr.evaluate(&batch)?.into_array(rows)?)
        };
        let parts = self.keys.iter().map(|(expr, pg_type)| Ok((value(expr)?, *pg_type)));
        let parts = parts.collect::<Result<_>>()?;
        let over = self.predicate.as_ref().map(value).transpose()?;
        let over = over.map(|array| match array.as_boolean_opt() {
            Some(over) => Ok(over.clone()),
            None => Err(Error::Internal("the condition of an index is no truth value".to_owned())),
        });
        Ok(Keys { parts, over: over.transpose()? })
    }
}

fn columns(relation: &Relation) -> Vec<(i16, PgType)> {
    relation.live_columns().map(|column| (column.number, column.pg_type)).collect()
}

/// Where a definition has what was compiled of it: the same for all copies of the definition, and
/// no part of it.
#[derive(Debug, Clone, Default)]
pub struct KeyCache(Arc<RwLock<Option<Arc<ComputedKey>>>>);

impl KeyCache {
    /// What was compiled for the columns that the relation has.
    pub fn get(&self, relation: &Relation) -> Option<Arc<ComputedKey>> {
        let known = self.0.read().as_ref().map(Arc::clone);
        known.filter(|known| {
            let live = relation.live_columns().map(|column| (column.number, column.pg_type));
            live.eq(known.columns.iter().copied())
        })
    }

    /// Keeps it.
    pub fn set(&self, key: ComputedKey) {
        *self.0.write() = Some(Arc::new(key));
    }
}

impl PartialEq for KeyCache {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeyCache {}
