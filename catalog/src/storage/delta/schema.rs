//! A table's columns in Delta's words.

use std::sync::Arc;

use clientele_udfs::cast::numbers;
use clientele_udfs::output::{self, Style};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::error::DataFusionError;
use serde_json::{Value, json};

use super::super::arrays;
use super::super::file::{FileEntry, FileFacts};
use super::super::{reader, stored};
use crate::definition::{Column, Relation};
use crate::error::Result;

/// How a table is published.
#[derive(Debug)]
pub(super) struct Shape {
    /// The columns in files that are written for it.
    pub(super) arrow: SchemaRef,
    /// The columns in Delta's JSON.
    pub(super) json: String,
    /// Whether readers must know times without a zone.
    pub(super) has_local_times: bool,
    /// Stands for the columns in names of files.
    pub(super) tag: u32,
}

impl Shape {
    pub(super) fn new(relation: &Relation) -> Result<Self> {
        let (mut fields, mut described) = (Vec::new(), Vec::new());
        let mut has_local_times = false;
        for column in relation.live_columns() {
            let kept = elsewhere(column.pg_type.arrow());
            let (arrow, delta) = match delta_type(&kept) {
                Some(delta) => (kept, delta),
                None => (DataType::Utf8View, Value::from("string")),
            };
            has_local_times |= is_local_time(&arrow);
            let comment =
                column.comment.as_ref().map_or(json!({}), |text| json!({"comment": text}));
            described.push(json!({
                "name": column.name, "type": delta, "nullable": true, "metadata": comment,
            }));
            fields.push(Field::new(&column.name, arrow, true));
        }
        let json = json!({"type": "struct", "fields": described}).to_string();
        let tag = crc32fast::hash(json.as_bytes());
        Ok(Self { arrow: Arc::new(Schema::new(fields)), json, has_local_times, tag })
    }

    /// Whether a file has these columns, by these names and types, and no others.
    ///
    /// # Errors
    /// Its footer cannot be read.
    pub(super) fn shows(&self, relation: &Relation, entry: &FileEntry) -> Result<bool> {
        // A column of nodes may stand in the file: readers take the columns that the log names.
        let is_node = |number: &i16| {
            relation.column_by_number(*number).is_some_and(|column| column.subject.is_some())
        };
        let metadata = reader::metadata(entry)?;
        let kept = entry.facts.columns.iter().zip(metadata.schema().fields());
        let kept: Vec<_> = kept.filter(|(number, _)| !is_node(number)).collect();
        if !kept
            .iter()
            .map(|(number, _)| **number)
            .eq(arrays::live_numbers(relation).iter().copied())
        {
            return Ok(false);
        }
        let kept: Vec<&Arc<Field>> = kept.into_iter().map(|(_, field)| field).collect();
        let same = |(own, kept): (&Arc<Field>, &&Arc<Field>)| {
            own.name() == kept.name() && own.data_type().equals_datatype(kept.data_type())
        };
        Ok(kept.len() == self.arrow.fields().len()
            && self.arrow.fields().iter().zip(kept.iter()).all(same))
    }

    /// Arrays of the live columns as they are published.
    ///
    /// # Errors
    /// A value has no text.
    pub(super) fn publish(
        &self,
        relation: &Relation,
        arrays: &[ArrayRef],
    ) -> Result<Vec<ArrayRef>> {
        let columns = relation.live_columns().zip(arrays).zip(self.arrow.fields());
        columns.map(|((column, array), field)| published(column, array, field)).collect()
    }

    /// Smallest and largest values that a file's entry may tell: `(column, minimum, maximum,
    /// nulls)`. Those of personal columns are not known to begin with.
    pub(super) fn ranges(&self, relation: &Relation, facts: &FileFacts) -> Vec<Range> {
        let range = |column: &Column| {
            let known = facts.ranges.iter().find(|one| one.column == column.number)?;
            if stored::is_personal(column) {
                return None;
            }
            let kept = column.pg_type.arrow();
            let (minimum, maximum) = (shown(&kept, known.minimum)?, shown(&kept, known.maximum)?);
            Some(Range { column: column.name.clone(), minimum, maximum, nulls: known.nulls })
        };
        relation.live_columns().filter_map(range).collect()
    }
}

/// Smallest and largest value of a column in a file.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) column: String,
    pub(super) minimum: Value,
    pub(super) maximum: Value,
    pub(super) nulls: u64,
}

fn published(column: &Column, array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if field.data_type().equals_datatype(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    if *array.data_type() == DataType::LargeBinary {
        let numbers = numbers(array, PgType::NUMERIC_ELSEWHERE);
        return numbers.map_err(|error| DataFusionError::External(Box::new(error)).into());
    }
    if delta_type(&column.pg_type.arrow()).is_some() {
        return Ok(cast(array, field.data_type())?);
    }
    let text = output::to_text_array(array, column.pg_type, &Style::default());
    text.map_err(|error| DataFusionError::External(Box::new(error)).into())
}

/// Delta's decimals have one scale for a column.
fn elsewhere(kept: DataType) -> DataType {
    match kept {
        DataType::LargeBinary => PgType::NUMERIC_ELSEWHERE.arrow(),
        kept => kept,
    }
}

/// A type in Delta's JSON; `None` when Delta has none, and the value's text is published.
fn delta_type(kept: &DataType) -> Option<Value> {
    let name = match kept {
        DataType::Boolean => "boolean",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Utf8View => "string",
        DataType::Binary => "binary",
        DataType::Date32 => "date",
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp_ntz",
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp",
        DataType::Decimal128(precision, scale) if (0..=38).contains(scale) => {
            let scale = u8::try_from(*scale).ok().filter(|scale| scale <= precision)?;
            return Some(Value::from(format!("decimal({precision},{scale})")));
        }
        DataType::List(element) => {
            let element = delta_type(element.data_type())?;
            return Some(json!({"type": "array", "elementType": element, "containsNull": true}));
        }
        _ => return None,
    };
    Some(Value::from(name))
}

fn is_local_time(arrow: &DataType) -> bool {
    match arrow {
        DataType::Timestamp(_, None) => true,
        DataType::List(element) => is_local_time(element.data_type()),
        _ => false,
    }
}

/// A bound as Delta writes it; `None`: it cannot be written, as `infinity` cannot.
fn shown(kept: &DataType, value: i64) -> Option<Value> {
    Some(match kept {
        DataType::Int16 | DataType::Int32 | DataType::Int64 => Value::from(value),
        DataType::Date32 => {
            let day = chrono::Duration::try_days(value)?;
            let date = chrono::NaiveDate::default().checked_add_signed(day)?;
            (0..=9999).contains(&chrono::Datelike::year(&date)).then_some(())?;
            Value::from(date.format("%Y-%m-%d").to_string())
        }
        DataType::Timestamp(_, zone) => {
            let at = chrono::DateTime::from_timestamp_micros(value)?;
            (0..=9999).contains(&chrono::Datelike::year(&at)).then_some(())?;
            let text = at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            Value::from(if zone.is_some() { text + "Z" } else { text })
        }
        _ => return None,
    })
}
