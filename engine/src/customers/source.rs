//! One touchpoint table: what is read of it, and what its rows say.

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::customers::{Attribute, Touchpoint, Touchpoints};
use clientele_catalog::definition::{Oid, Relation};
use clientele_catalog::domains::{self, SemanticDomain, Subject};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::common::{Column, HashMap, Result};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, lit};
use datafusion::physical_plan::{ExecutionPlan, project_schema};

use super::rows::From;
use super::tally::{Entry, NEVER_FIRST, Tally, Values};

/// Customers whose rows are looked up one by one.
const FEW: usize = 16;

/// What must be read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// By attribute.
    pub(super) attributes: Vec<bool>,
    /// When rows were made, even if no attribute is wanted.
    pub(super) times: bool,
    /// Every customer with a row, even if no attribute is wanted.
    pub(super) rows: bool,
}

impl Wanted {
    pub(super) fn attribute(&self, at: usize) -> bool {
        self.attributes.get(at).copied().unwrap_or(false)
    }
}

/// A touchpoint table in a plan. Places are those of the scan's columns.
#[derive(Debug, Clone)]
pub(super) struct Source {
    relation: Arc<Relation>,
    pub(super) number: u16,
    /// Places of the columns that are read among the table's.
    projection: Vec<usize>,
    key: usize,
    time: Option<usize>,
    said: Vec<Said>,
}

/// A column that says something.
#[derive(Debug, Clone)]
struct Said {
    place: usize,
    attribute: usize,
    form: Form,
}

/// What a value is kept as.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As it is written.
    Written,
    /// As identifiers are compared.
    Normal(&'static SemanticDomain),
    /// The identifier that it implies.
    Implied(&'static SemanticDomain),
}

impl Source {
    /// Of a table; `None` when nothing of it is wanted.
    pub(super) fn of(
        (number, table): (u16, &Touchpoint),
        (wanted, touchpoints): (&Wanted, &Touchpoints),
        catalog: &Catalog,
    ) -> Option<Self> {
        let live: Vec<_> = table.relation.live_columns().collect();
        let mut projection: Vec<usize> = Vec::new();
        let mut read = |at: usize| match projection.iter().position(|one| *one == at) {
            Some(place) => place,
            None => {
                projection.push(at);
                projection.len() - 1
            }
        };
        let subject = Some(touchpoints.subject);
        let key = read(live.iter().position(|column| column.subject == subject)?);
        let mut said = Vec::new();
        for feed in table.feeds.iter().filter(|feed| wanted.attribute(feed.attribute)) {
            let at = live.iter().position(|column| column.number == feed.column)?;
            let attribute = touchpoints.attributes.get(feed.attribute)?;
            let form = Form::of(attribute, domains::meaning(catalog, feed.domain)?, feed.domain);
            said.push(Said { place: read(at), attribute: feed.attribute, form });
        }
        if said.is_empty() && !wanted.rows {
            return None;
        }
        let number_of_time = table.time.filter(|_| wanted.times || !said.is_empty());
        let at = |number| live.iter().position(|column| column.number == number);
        let time = number_of_time.and_then(at).map(&mut read);
        Some(Self { relation: Arc::clone(&table.relation), number, projection, key, time, said })
    }

    /// The rows of these customers: of a few they are looked up, else scanned.
    pub(super) async fn scan(
        &self,
        from: &From<'_>,
        (subject, only): (Subject, Option<&[i64]>),
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = from.store.table_provider(from.snapshot, &self.relation, false);
        if let Some(few) = only.filter(|only| only.len() <= FEW) {
            let schema = project_schema(&table.schema(), Some(&self.projection))?;
            let columns = (self.projection.as_slice(), &schema);
            let (snapshot, relation) = (from.snapshot, &self.relation);
            let found = from.store.rows_of_customers(snapshot, relation, (subject, few), columns);
            let found = found.map_err(|error| DataFusionError::External(Box::new(error)))?;
            if let Some(rows) = found {
                return Ok(MemorySourceConfig::try_new_exec(&[rows], schema, None)?);
            }
        }
        let key =
            self.relation.live_columns().nth(self.projection.get(self.key).copied().unwrap_or(0));
        let filter = only.zip(key).map(|(only, key)| {
            let column = Expr::Column(Column::new_unqualified(&key.name));
            column.in_list(only.iter().map(|customer| lit(*customer)).collect(), false)
        });
        let filters: Vec<Expr> = filter.into_iter().collect();
        table.scan(from.state, Some(&self.projection), &filters, None).await
    }

    /// Takes in what rows say.
    pub(super) fn take(&self, batch: &RecordBatch, into: &mut Gathered) -> Result<()> {
        let keys = batch.column(self.key).as_primitive::<Int64Type>();
        let times = self.time.map(|place| instants(batch.column(place))).transpose()?;
        let times = times.as_ref().map(|times| times.as_primitive::<TimestampMicrosecondType>());
        let entry = |row: usize| {
            let customer = keys.is_valid(row).then(|| u32::try_from(keys.value(row)).ok())??;
            let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            let (first, last) = time.map_or((NEVER_FIRST, i64::MIN), |time| (time, time));
            let asked = into.asks(i64::from(customer));
            asked.then_some(Entry {
                customer,
                value: 0,
                source: self.number,
                count: 1,
                first,
                last,
            })
        };
        let rows = (0..batch.num_rows()).filter_map(|row| Some((row, entry(row)?)));
        let rows: Vec<(usize, Entry)> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        if into.rows_wanted {
            rows.iter().for_each(|(_, entry)| into.rows.add(*entry));
        }
        for said in &self.said {
            let texts = texts(batch.column(said.place))?;
            let Some(texts) = texts.as_string_view_opt() else { continue };
            let Some((tally, values)) = into.attributes.get_mut(said.attribute) else { continue };
            let mut numbers = Numbers { form: said.form, values, known: HashMap::new() };
            for (row, entry) in rows.iter().filter(|(row, _)| texts.is_valid(*row)) {
                if let Some(value) = numbers.of(texts, *row) {
                    tally.add(Entry { value, ..*entry });
                }
            }
        }
        Ok(())
    }
}

impl Form {
    fn of(attribute: &Attribute, domain: &'static SemanticDomain, namespace: Oid) -> Self {
        match attribute.identifies {
            false => Self::Written,
            true if attribute.domain == namespace => Self::Normal(domain),
            true => Self::Implied(domain),
        }
    }
}

/// What is gathered of all sources.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Rows of customers.
    pub(super) rows: Tally,
    rows_wanted: bool,
    /// By attribute.
    pub(super) attributes: Vec<(Tally, Values)>,
    /// The customers that are asked for, in ascending order.
    only: Option<Vec<i64>>,
}

impl Gathered {
    pub(super) fn new(wanted: &Wanted, only: Option<Vec<i64>>) -> Self {
        let attributes = wanted.attributes.iter().map(|_| Default::default()).collect();
        Self { rows: Tally::default(), rows_wanted: wanted.rows, attributes, only }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(tally, values)| tally.bytes() + values.bytes());
        self.rows.bytes() + attributes.sum::<usize>()
    }

    /// Whether a customer is asked for.
    pub(super) fn asks(&self, customer: i64) -> bool {
        self.only.as_ref().is_none_or(|only| only.binary_search(&customer).is_ok())
    }
}

/// Numbers of the values of a batch: each is normalised once.
struct Numbers<'a, 'v> {
    form: Form,
    values: &'v mut Values,
    known: HashMap<&'a str, Option<u32>>,
}

impl<'a> Numbers<'a, '_> {
    fn of(&mut self, texts: &'a StringViewArray, row: usize) -> Option<u32> {
        let text = texts.value(row);
        let (domain, implied) = match self.form {
            Form::Written => return (!text.is_empty()).then(|| self.values.number(text)),
            Form::Normal(domain) => (domain, false),
            Form::Implied(domain) => (domain, true),
        };
        let values = &mut self.values;
        *self.known.entry(text).or_insert_with(|| {
            let normal = (domain.normalize)(text)?;
            match implied {
                true => domains::implied(domain, &normal).map(|one| values.number(one)),
                false => Some(values.number(&normal)),
            }
        })
    }
}

/// A column as text; dates in ISO 8601.
fn texts(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8View => Arc::clone(array),
        _ => cast(&cast(array, &DataType::Utf8)?, &DataType::Utf8View)?,
    })
}

/// Times as instants; without a zone they are of UTC.
fn instants(array: &ArrayRef) -> Result<ArrayRef> {
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Ok(if *array.data_type() == wanted { Arc::clone(array) } else { cast(array, &wanted)? })
}
