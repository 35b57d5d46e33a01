//! Rows of `customers.attributes` and `customers.account_attributes`.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;

use super::exec::Golden;
use super::source::Gathered;
use super::table::Columns;
use super::tally::{Entry, NEVER_FIRST, Tally, Values};

/// Entries that become rows at once.
const ROWS: usize = 8192;

/// A column of the relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueColumn {
    Key,
    Attribute,
    Value,
    Source,
    FirstSeen,
    LastSeen,
    RowCount,
    Chosen,
    Rule,
}

impl ValueColumn {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "customer_id" | "account_id" => Self::Key,
            "attribute" => Self::Attribute,
            "value" => Self::Value,
            "source" => Self::Source,
            "first_seen_at" => Self::FirstSeen,
            "last_seen_at" => Self::LastSeen,
            "row_count" => Self::RowCount,
            "chosen" => Self::Chosen,
            "rule" => Self::Rule,
            _ => return None,
        })
    }
}

/// Makes the rows, attribute by attribute, customer by customer.
pub(super) struct ValueRows {
    task: Arc<Golden>,
    schema: SchemaRef,
    attributes: std::iter::Enumerate<std::vec::IntoIter<(Tally, Values)>>,
    current: Option<Current>,
}

/// The attribute that is being shown.
struct Current {
    attribute: usize,
    entries: Vec<Entry>,
    values: Vec<Box<str>>,
    at: usize,
}

/// An entry, and the rule by which it was chosen.
type Row = (Entry, Option<&'static str>);

impl ValueRows {
    pub(super) fn new(task: Arc<Golden>, gathered: Gathered, schema: SchemaRef) -> Self {
        let attributes = gathered.attributes.into_iter().enumerate();
        Self { task, schema, attributes, current: None }
    }

    /// The next rows of the current attribute; none when it is at its end.
    fn some_rows(&mut self) -> Vec<Row> {
        let Some(current) = &mut self.current else { return Vec::new() };
        let Some(rule) = self.task.rules.of(current.attribute) else { return Vec::new() };
        let says_nothing = |text: &str| self.task.says_nothing(current.attribute, text);
        let mut rows = Vec::new();
        let rest = current.entries.get(current.at..).unwrap_or_default();
        for own in rest.chunk_by(|one, other| one.customer == other.customer) {
            let chosen = rule.choose(own, &current.values, &says_nothing);
            let by = |entry: &Entry| {
                chosen.filter(|(value, _)| *value == entry.value).map(|(_, rule)| rule)
            };
            rows.extend(own.iter().map(|entry| (*entry, by(entry))));
            if rows.len() >= ROWS {
                break;
            }
        }
        current.at += rows.len();
        rows
    }

    fn batch(&self, rows: &[Row]) -> Result<RecordBatch> {
        let Columns::Values(columns) = &self.task.columns else {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        };
        let arrays: Vec<ArrayRef> =
            columns.iter().map(|column| self.array(*column, rows)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }

    fn array(&self, column: ValueColumn, rows: &[Row]) -> ArrayRef {
        let entries = || rows.iter().map(|(entry, _)| entry);
        let times = |time: &dyn Fn(&Entry) -> Option<i64>| -> ArrayRef {
            let times = entries().map(time).collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_timezone("UTC"))
        };
        let (place, values) = match &self.current {
            Some(current) => (current.attribute, current.values.as_slice()),
            None => (0, Default::default()),
        };
        let name = self.task.touchpoints.attributes.get(place).map(|one| one.name.as_str());
        match column {
            ValueColumn::Key => {
                let customers = entries().map(|entry| i64::from(entry.customer));
                Arc::new(Int64Array::from_iter_values(customers))
            }
            ValueColumn::Attribute => {
                Arc::new(entries().map(|_| name).collect::<StringViewArray>())
            }
            ValueColumn::Value => {
                let text = |entry: &Entry| values.get(entry.value as usize).map(AsRef::as_ref);
                Arc::new(entries().map(text).collect::<StringViewArray>())
            }
            ValueColumn::Source => {
                let name = |entry: &Entry| self.task.source_name(entry.source);
                Arc::new(entries().map(name).collect::<StringViewArray>())
            }
            ValueColumn::FirstSeen => {
                times(&|entry| Some(entry.first).filter(|time| *time != NEVER_FIRST))
            }
            ValueColumn::LastSeen => {
                times(&|entry| Some(entry.last).filter(|time| *time != i64::MIN))
            }
            ValueColumn::RowCount => {
                let counts = entries().map(|entry| i64::from(entry.count));
                Arc::new(Int64Array::from_iter_values(counts))
            }
            ValueColumn::Chosen => Arc::new(
                rows.iter().map(|(_, rule)| Some(rule.is_some())).collect::<BooleanArray>(),
            ),
            ValueColumn::Rule => {
                Arc::new(rows.iter().map(|(_, rule)| *rule).collect::<StringViewArray>())
            }
        }
    }
}

impl Iterator for ValueRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rows = self.some_rows();
            if !rows.is_empty() {
                return Some(self.batch(&rows));
            }
            let (attribute, (tally, values)) = self.attributes.next()?;
            let (entries, values) = (tally.finish(), values.finish());
            self.current = Some(Current { attribute, entries, values, at: 0 });
        }
    }
}
