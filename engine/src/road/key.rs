//! Which unique key a filter names, and the row that it names.

use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::storage::{Lookup, stored_relation};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator, TableScan};
use datafusion::scalar::ScalarValue;

use super::batch;
use super::compile::Compiler;
use super::expression::{Expression, Values, has_columns};
use crate::error::Result;

/// A unique key with an expression for each of its columns.
pub(super) struct Key {
    relation: Arc<Relation>,
    constraint: Oid,
    /// In the order of the constraint, each with the type of the column.
    values: Vec<(Expression, DataType)>,
    with_address: bool,
    schema: SchemaRef,
}

impl Key {
    /// The key that a filter over a scan names with equalities.
    pub(super) fn compile(filter: &Filter, compiler: &Compiler<'_>) -> Option<Self> {
        let scan = scan_below(&filter.input)?;
        let provider = source_as_provider(&scan.source).ok()?;
        let (relation, with_address) = stored_relation(provider.as_ref())?;
        let equalities = equalities(&filter.predicate, filter.input.schema());
        let value = |number: &i16| {
            let position = relation.live_columns().position(|column| column.number == *number)?;
            let data_type = relation.column_by_number(*number)?.pg_type.arrow();
            let mut named = equalities.iter().filter(|(at, _)| *at == position);
            let expression = named.find_map(|(_, expr)| key_value(expr, &data_type, compiler))?;
            Some((expression, data_type))
        };
        let (constraint, values) = relation.unique_keys().find_map(|(constraint, columns)| {
            Some((constraint.oid, columns.iter().map(value).collect::<Option<Vec<_>>>()?))
        })?;
        let schema = provider.schema();
        Some(Self { relation: Arc::clone(relation), constraint, values, with_address, schema })
    }

    pub(super) fn is_light(&self) -> bool {
        self.values.iter().all(|(value, _)| value.light)
    }

    /// What a key that no row has names.
    pub(super) fn no_row(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(&self.schema))
    }

    /// The row, as a scan would give it; `Some(None)`: no row has the key. `None`: a scan must
    /// tell.
    pub(super) async fn find(&self, values: &Values<'_>) -> Result<Option<Option<RecordBatch>>> {
        let mut key = Vec::with_capacity(self.values.len());
        for (expression, data_type) in &self.values {
            match of_type(expression.value(values)?, data_type) {
                Some(value) => key.push(value),
                // NULL equals nothing, and a number that is too large is in no column.
                None => return Ok(Some(None)),
            }
        }
        let (store, snapshot) = (&values.context.store, &values.context.snapshot);
        let found = store.lookup(snapshot, &self.relation, self.constraint, &key).await?;
        let (row, address) = match found {
            Lookup::Unknown => return Ok(None),
            Lookup::Absent => return Ok(Some(None)),
            Lookup::Found(row, address) => (row, address),
        };
        if !self.with_address {
            return Ok(Some(Some(row)));
        }
        let mut columns = row.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(vec![address.to_i64()])) as ArrayRef);
        Ok(Some(Some(batch(&self.schema, columns, 1)?)))
    }
}

pub(super) fn scan_below(plan: &LogicalPlan) -> Option<&TableScan> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => scan_below(&alias.input),
        LogicalPlan::TableScan(scan) => {
            let whole = scan.projection.is_none() && scan.fetch.is_none();
            (whole && scan.filters.is_empty()).then_some(scan)
        }
        _ => None,
    }
}

/// `column = value` of a conjunction: position of the column, and the value.
pub(super) fn equalities<'a>(predicate: &'a Expr, schema: &DFSchema) -> Vec<(usize, &'a Expr)> {
    let mut found = Vec::new();
    for part in split_conjunction(predicate) {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = part else { continue };
        for (column, value) in [(left, right), (right, left)] {
            if let Some(column) = column_of(column)
                && let Some(position) = schema.maybe_index_of_column(column)
                && !has_columns(value)
            {
                found.push((position, value.as_ref()));
            }
        }
    }
    found
}

/// The column itself, or as a wider integer: `integer_column = $1::bigint`.
pub(super) fn column_of(expr: &Expr) -> Option<&datafusion::common::Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Cast(Cast { expr, field }) if field.data_type().is_integer() => match expr.as_ref() {
            Expr::Column(column) => Some(column),
            _ => None,
        },
        _ => None,
    }
}

/// The value of a key column: one that is the same wherever it is evaluated, and of a type whose
/// equality is the index's.
pub(super) fn key_value(
    expr: &Expr,
    data_type: &DataType,
    compiler: &Compiler<'_>,
) -> Option<Expression> {
    let value = compiler.expression(expr, &DFSchema::empty())?;
    let given = &value.data_type;
    let exact = given == data_type && !data_type.is_floating();
    let fits = exact || given.is_integer() && data_type.is_integer();
    (fits && !value.volatile).then_some(value)
}

/// The value in the column's type; `None` when no value of the column can equal it.
pub(super) fn of_type(value: ScalarValue, data_type: &DataType) -> Option<ScalarValue> {
    if value.is_null() {
        return None;
    }
    match value.data_type() == *data_type {
        true => Some(value),
        false => value.cast_to(data_type).ok().filter(|value| !value.is_null()),
    }
}
