//! Rows of `customers.profiles` and `customers.accounts`.

use std::sync::Arc;

use clientele_catalog::customers::Touchpoints;
use datafusion::arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, RecordBatchOptions, StringViewArray,
    StringViewBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Field, SchemaRef};
use datafusion::error::Result;

use super::exec::Golden;
use super::source::Gathered;
use super::table::Columns;
use super::tally::{Entry, NEVER_FIRST, PINNED, Walk};

/// A column of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProfileColumn {
    /// Whose it is.
    Key,
    /// What survived of an attribute.
    Attribute(usize),
    FirstSeen,
    LastSeen,
    RowCount,
    IdentifierCount,
    Sources,
    RowsBySource,
}

impl ProfileColumn {
    pub(super) fn named(name: &str, touchpoints: &Touchpoints) -> Option<Self> {
        Some(match name {
            "first_seen_at" => Self::FirstSeen,
            "last_seen_at" => Self::LastSeen,
            "row_count" => Self::RowCount,
            "identifier_count" => Self::IdentifierCount,
            "sources" => Self::Sources,
            "rows_by_source" => Self::RowsBySource,
            name if name == touchpoints.subject.column() => Self::Key,
            name => {
                let place = touchpoints.attributes.iter().position(|one| one.name == name)?;
                Self::Attribute(place)
            }
        })
    }
}

/// Makes the rows, some customers at a time.
pub(super) struct ProfileRows {
    task: Arc<Golden>,
    schema: SchemaRef,
    size: usize,
    rows: Walk,
    attributes: Vec<(Walk, Vec<Box<str>>)>,
}

/// Some customers, and the columns that their rows give.
#[derive(Default)]
struct Group {
    customers: Vec<u32>,
    first: Vec<Option<i64>>,
    last: Vec<Option<i64>>,
    counts: Vec<i64>,
    /// Of each customer: source and rows.
    sources: Vec<Vec<(u16, u64)>>,
    identifiers: Vec<i64>,
}

impl ProfileRows {
    pub(super) fn new(
        task: Arc<Golden>,
        gathered: Gathered,
        (schema, size): (SchemaRef, usize),
    ) -> Self {
        let attributes = gathered.attributes.into_iter();
        let attributes =
            attributes.map(|(tally, values)| (Walk::new(tally.finish()), values.finish()));
        Self {
            task,
            schema,
            size,
            rows: Walk::new(gathered.rows.finish()),
            attributes: attributes.collect(),
        }
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut group = Group::default();
        while group.customers.len() < self.size
            && let Some(customer) = self.rows.customer()
        {
            group.add(customer, self.rows.take(customer));
        }
        if group.customers.is_empty() {
            return Ok(None);
        }
        let chosen = self.choose(&mut group);
        let Columns::Profile(columns) = &self.task.columns else { return Ok(None) };
        let arrays = columns.iter().zip(self.schema.fields()).map(|(column, field)| {
            Ok(match column {
                ProfileColumn::Attribute(at) => {
                    let texts = chosen.get(*at).map(Vec::as_slice).unwrap_or_default();
                    self.values(*at, texts, field)?
                }
                other => group.array(*other, field, &self.task),
            })
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(group.customers.len()));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?))
    }

    /// By attribute and customer the number of the value that survives; counts identifiers, too.
    fn choose(&mut self, group: &mut Group) -> Vec<Vec<Option<u32>>> {
        let mut all = Vec::with_capacity(self.attributes.len());
        for (at, (walk, values)) in self.attributes.iter_mut().enumerate() {
            let identifies =
                self.task.touchpoints.attributes.get(at).is_some_and(|one| one.identifies);
            let rule = self.task.rules.of(at);
            let says_nothing = |text: &str| self.task.says_nothing(at, text);
            let mut chosen = Vec::with_capacity(group.customers.len());
            for (customer, identifiers) in group.customers.iter().zip(&mut group.identifiers) {
                let entries = walk.take(*customer);
                chosen.push(
                    rule.and_then(|rule| Some(rule.choose(entries, values, &says_nothing)?.0)),
                );
                if identifies {
                    *identifiers += different(entries);
                }
            }
            all.push(chosen);
        }
        all
    }

    fn values(&self, at: usize, chosen: &[Option<u32>], field: &Field) -> Result<ArrayRef> {
        let texts = self.attributes.get(at).map(|one| one.1.as_slice()).unwrap_or_default();
        let text = |number: &Option<u32>| texts.get((*number)? as usize).map(AsRef::as_ref);
        let array: StringViewArray = chosen.iter().map(text).collect();
        Ok(cast(&array, field.data_type())?)
    }
}

impl Iterator for ProfileRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// How many values rows have, what was pinned aside.
fn different(entries: &[Entry]) -> i64 {
    let entries = || entries.iter().filter(|entry| entry.source != PINNED);
    let mut count = 0;
    let mut last = None;
    for entry in entries() {
        count += i64::from(last != Some(entry.value));
        last = Some(entry.value);
    }
    count
}

impl Group {
    fn add(&mut self, customer: u32, entries: &[Entry]) {
        let first = entries.iter().map(|entry| entry.first).min();
        let last = entries.iter().map(|entry| entry.last).max();
        let sources: Vec<_> =
            entries.iter().map(|entry| (entry.source, u64::from(entry.count))).collect();
        let count = sources.iter().map(|(_, count)| *count).sum::<u64>();
        self.customers.push(customer);
        self.first.push(first.filter(|time| *time != NEVER_FIRST));
        self.last.push(last.filter(|time| *time != i64::MIN));
        self.counts.push(i64::try_from(count).unwrap_or(i64::MAX));
        self.sources.push(sources);
        self.identifiers.push(0);
    }

    fn array(&self, column: ProfileColumn, field: &Field, task: &Golden) -> ArrayRef {
        let times = |times: &[Option<i64>]| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
        };
        match column {
            ProfileColumn::FirstSeen => times(&self.first),
            ProfileColumn::LastSeen => times(&self.last),
            ProfileColumn::RowCount => Arc::new(Int64Array::from(self.counts.clone())),
            ProfileColumn::IdentifierCount => Arc::new(Int64Array::from(self.identifiers.clone())),
            ProfileColumn::Sources => self.lists(field, task),
            ProfileColumn::RowsBySource => Arc::new(self.objects(task)),
            ProfileColumn::Key | ProfileColumn::Attribute(_) => {
                let customers = self.customers.iter().map(|customer| i64::from(*customer));
                Arc::new(Int64Array::from_iter_values(customers))
            }
        }
    }

    /// `text[]`: the names, in order.
    fn lists(&self, field: &Field, task: &Golden) -> ArrayRef {
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        if let datafusion::arrow::datatypes::DataType::List(item) = field.data_type() {
            lists = lists.with_field(Arc::clone(item));
        }
        for sources in &self.sources {
            let names = sources.iter().filter_map(|(source, _)| task.source_name(*source));
            names.for_each(|name| lists.values().append_value(name));
            lists.append(true);
        }
        Arc::new(lists.finish())
    }

    /// `jsonb`: shorter keys first, as PostgreSQL orders them.
    fn objects(&self, task: &Golden) -> StringViewArray {
        let object = |sources: &Vec<(u16, u64)>| {
            let mut named: Vec<(&str, u64)> = sources
                .iter()
                .filter_map(|(source, count)| Some((task.source_name(*source)?, *count)))
                .collect();
            named.sort_unstable_by_key(|(name, _)| (name.len(), *name));
            let pairs = named
                .iter()
                .map(|(name, count)| format!("{}: {count}", serde_json::Value::from(*name)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        };
        StringViewArray::from_iter_values(self.sources.iter().map(object))
    }
}
