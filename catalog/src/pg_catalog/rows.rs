//! Rows of values → Arrow arrays of a relation's columns.

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, Float64Builder, Int16Builder, Int32Builder,
    Int64Builder, IntervalMonthDayNanoBuilder, ListArray, RecordBatch, RecordBatchOptions,
    StringViewBuilder, TimestampMicrosecondBuilder, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, FieldRef, IntervalMonthDayNano, SchemaRef};

use super::value::Value;

/// Collects the rows of one relation.
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// What a column holds that the source does not name.
    defaults: Vec<Value<'static>>,
    /// Place of each named column in the relation; `None`: the relation has no such column.
    places: Vec<Option<usize>>,
    count: usize,
    misfits: usize,
}

impl Rows {
    /// Rows whose values come in the order of `names`.
    pub(crate) fn new<'a>(
        schema: SchemaRef,
        not_null: &[bool],
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        let place = |name: &str| schema.index_of(name.strip_prefix("r#").unwrap_or(name)).ok();
        let places: Vec<_> = names.map(place).collect();
        let columns = schema.fields().iter().map(|field| Column::of(field.data_type())).collect();
        let zero = |(field, not_null): (&FieldRef, &bool)| match not_null {
            true => zero_of(field),
            false => Value::Null,
        };
        let defaults = schema.fields().iter().zip(not_null).map(zero).collect();
        Self {
            misfits: places.iter().filter(|place| place.is_none()).count(),
            schema,
            columns,
            defaults,
            places,
            count: 0,
        }
    }

    /// Adds a row: one value per named column.
    pub(crate) fn push<'a>(&mut self, values: impl IntoIterator<Item = Value<'a>>) {
        for (value, place) in values.into_iter().zip(&self.places) {
            if let Some(column) = place.and_then(|place| self.columns.get_mut(place)) {
                self.misfits += usize::from(!column.push(value));
            }
        }
        self.count += 1;
    }

    /// Values that had no column or did not fit it: zero, which a test holds for every relation.
    #[cfg(test)]
    pub(crate) fn misfits(&self) -> usize {
        self.misfits
    }

    /// The rows as a batch of the relation's schema.
    pub(crate) fn finish(self) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let fields = self.schema.fields();
        for (place, (mut column, field)) in self.columns.into_iter().zip(fields).enumerate() {
            if !self.places.contains(&Some(place)) {
                let default = self.defaults.get(place).unwrap_or(&Value::Null);
                for _ in 0..self.count {
                    column.push(default.clone());
                }
            }
            arrays.push(column.finish(field.data_type()));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .unwrap_or_else(|_| RecordBatch::new_empty(self.schema))
    }
}

/// The value of a NOT NULL column that has nothing to say.
fn zero_of(field: &FieldRef) -> Value<'static> {
    match field.data_type() {
        DataType::Boolean => Value::Bool(false),
        DataType::Utf8View => Value::from(""),
        DataType::List(_) => Value::List(Vec::new()),
        _ => Value::Integer(0),
    }
}

/// A growing Arrow array.
enum Column {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Text(StringViewBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Interval(IntervalMonthDayNanoBuilder),
    List {
        items: Box<Column>,
        offsets: Vec<i32>,
        valid: Vec<bool>,
    },
    /// A type that no source fills.
    Null(usize),
}

impl Column {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int16 => Self::Int16(Int16Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::Float32 => Self::Float32(Float32Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Utf8View => Self::Text(StringViewBuilder::new()),
            DataType::Timestamp(..) => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            DataType::Interval(_) => Self::Interval(IntervalMonthDayNanoBuilder::new()),
            DataType::List(item) => Self::List {
                items: Box::new(Self::of(item.data_type())),
                offsets: vec![0],
                valid: Vec::new(),
            },
            _ => Self::Null(0),
        }
    }

    /// Appends a value, or NULL where it does not fit; says whether it did.
    fn push(&mut self, value: Value<'_>) -> bool {
        let is_null = value == Value::Null;
        let fitted = match self {
            Self::Bool(column) => append(value.boolean(), |one| column.append_option(one)),
            Self::Int16(column) => append(value.integer(), |one| column.append_option(one)),
            Self::Int32(column) => append(value.integer(), |one| column.append_option(one)),
            Self::Int64(column) => append(value.integer(), |one| column.append_option(one)),
            Self::Float32(column) => {
                append(value.float(), |one| column.append_option(one.map(|one| one as f32)))
            }
            Self::Float64(column) => append(value.float(), |one| column.append_option(one)),
            Self::Text(column) => append(value.text().as_deref(), |one| column.append_option(one)),
            Self::Timestamp(column) => append(value.integer(), |one| column.append_option(one)),
            Self::Interval(column) => append(value.seconds(), |one| column.append_option(one)),
            Self::List { items, offsets, valid } => push_list(items, offsets, valid, value),
            Self::Null(count) => {
                *count += 1;
                false
            }
        };
        fitted || is_null
    }

    fn finish(self, data_type: &DataType) -> ArrayRef {
        match self {
            Self::Bool(mut column) => Arc::new(column.finish()),
            Self::Int16(mut column) => Arc::new(column.finish()),
            Self::Int32(mut column) => Arc::new(column.finish()),
            Self::Int64(mut column) => Arc::new(column.finish()),
            Self::Float32(mut column) => Arc::new(column.finish()),
            Self::Float64(mut column) => Arc::new(column.finish()),
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.with_data_type(data_type.clone()).finish()),
            Self::Interval(mut column) => Arc::new(column.finish()),
            Self::List { items, offsets, valid } => finish_list(*items, offsets, valid, data_type),
            Self::Null(count) => new_null_array(data_type, count),
        }
    }
}

fn append<T>(value: Option<T>, sink: impl FnOnce(Option<T>)) -> bool {
    let fitted = value.is_some();
    sink(value);
    fitted
}

fn push_list(
    items: &mut Column,
    offsets: &mut Vec<i32>,
    valid: &mut Vec<bool>,
    value: Value<'_>,
) -> bool {
    let last = offsets.last().copied().unwrap_or(0);
    let Value::List(values) = value else {
        offsets.push(last);
        valid.push(false);
        return false;
    };
    offsets.push(last.saturating_add(i32::try_from(values.len()).unwrap_or(0)));
    valid.push(true);
    let mut fitted = true;
    for value in values {
        fitted &= items.push(value);
    }
    fitted
}

fn finish_list(
    items: Column,
    offsets: Vec<i32>,
    valid: Vec<bool>,
    data_type: &DataType,
) -> ArrayRef {
    let DataType::List(item) = data_type else { return new_null_array(data_type, valid.len()) };
    let count = valid.len();
    let items = items.finish(item.data_type());
    let offsets = OffsetBuffer::new(offsets.into());
    match ListArray::try_new(Arc::clone(item), offsets, items, Some(NullBuffer::from(valid))) {
        Ok(list) => Arc::new(list),
        Err(_) => new_null_array(data_type, count),
    }
}

impl Value<'_> {
    fn boolean(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    fn integer<T: TryFrom<i64>>(&self) -> Option<T> {
        if let Self::Integer(value) = self { T::try_from(*value).ok() } else { None }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone().into_owned()),
            Self::Integer(value) => Some(value.to_string()),
            _ => None,
        }
    }

    fn seconds(&self) -> Option<IntervalMonthDayNano> {
        let seconds: i64 = self.integer()?;
        Some(IntervalMonthDayNano::new(0, 0, seconds.saturating_mul(1_000_000_000)))
    }

    /// The value that a field of a data file stands for.
    pub(crate) fn parse(text: &str, pg_type: PgType) -> Value<'static> {
        if text == "\\N" {
            return Value::Null;
        }
        if let Some(element) = pg_type.element() {
            let inner = text.trim_start_matches('{').trim_end_matches('}');
            let items = inner.split([',', ' ']).filter(|item| !item.is_empty());
            return Value::List(items.map(|item| Value::parse(item, element)).collect());
        }
        match pg_type.arrow() {
            DataType::Boolean => Value::Bool(text == "t"),
            DataType::Utf8View => Value::from(text.to_owned()),
            DataType::Float32 | DataType::Float64 => text.parse().map_or(Value::Null, Value::Float),
            _ => text.parse().map_or(Value::Null, Value::Integer),
        }
    }
}
