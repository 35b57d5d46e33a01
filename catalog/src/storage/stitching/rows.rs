//! What was gathered, as rows of `identity.nodes` and `identity.records`.

use std::sync::Arc;

use clientele_identity::graph::{Node, Record};
use datafusion::arrow::array::{
    Array, ArrayRef, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Schema;

use super::gathered::{Gathered, Mark, Since};
use crate::definition::Oid;
use crate::error::{Error, Result};
use crate::features::oids;
use crate::storage::arrays;

/// What was gathered since a mark as rows: of `identity.nodes`, then of `identity.records`.
///
/// # Errors
/// None in practice: the arrays fit the tables.
pub(in crate::storage) fn rows(
    gathered: &Gathered,
    mark: Mark,
    seen_at: i64,
) -> Result<[RecordBatch; 2]> {
    let both = gathered.since(mark);
    Ok([node_rows(&both, seen_at)?, record_rows(&both, seen_at)?])
}

/// Nodes as the columns `customer_id` and `account_id` keep them: the numbers of people's nodes,
/// then of companies', each in its column.
pub(super) fn whose(person: &[Node], company: &[Node]) -> [ArrayRef; 2] {
    let number = |node: &Node| Some(i64::from(*node));
    let people = person.iter().map(number).chain(company.iter().map(|_| None));
    let companies = person.iter().map(|_| None).chain(company.iter().map(number));
    [Arc::new(people.collect::<Int64Array>()), Arc::new(companies.collect::<Int64Array>())]
}

fn integers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(values.map(|one| Some(i64::from(one))).collect::<Int64Array>())
}

/// The same instant for some rows.
pub(in crate::storage) fn times(seen_at: i64, count: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_value(seen_at, count).with_timezone("UTC"))
}

/// Rows of a system table.
///
/// # Errors
/// The columns are not the table's.
pub(in crate::storage) fn batch(relation: Oid, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let relation = crate::features::relation(relation)
        .ok_or_else(|| Error::Internal(format!("relation {relation} is not built in")))?;
    let fields = relation.live_columns().map(|one| one.pg_type.field(&one.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = relation.live_columns().zip(&columns);
    let columns = columns.map(|(column, array)| arrays::fit(array, column.pg_type));
    Ok(RecordBatch::try_new(schema, columns.collect::<Result<_>>()?)?)
}

fn node_rows(both: &[Since<'_>; 2], seen_at: i64) -> Result<RecordBatch> {
    let identifiers = || both.iter().flat_map(|since| since.identifiers);
    let nodes = |since: &Since<'_>| since.identifiers.iter().map(|one| one.node).collect();
    let [people, companies]: [Vec<Node>; 2] = both.each_ref().map(nodes);
    let [customers, accounts] = whose(&people, &companies);
    let values = both.iter().flat_map(|since| since.values);
    let values = StringViewArray::from_iter_values(values);
    let sources = both.iter().flat_map(|since| since.value_sources);
    let count = values.len();
    batch(
        oids::NODES,
        vec![
            customers,
            accounts,
            integers(identifiers().map(|one| one.namespace)),
            Arc::new(values),
            integers(sources.copied()),
            times(seen_at, count),
        ],
    )
}

fn record_rows(both: &[Since<'_>; 2], seen_at: i64) -> Result<RecordBatch> {
    let all =
        || both.iter().flat_map(|since| since.records.iter().map(move |record| (since, record)));
    let nodes = |since: &Since<'_>| since.records.iter().map(|one| one.node).collect();
    let [people, companies]: [Vec<Node>; 2] = both.each_ref().map(nodes);
    let [customers, accounts] = whose(&people, &companies);
    let count = customers.len();
    let mut members = ListBuilder::new(Int64Builder::new());
    for (since, record) in all() {
        for member in since.members(record) {
            members.values().append_value(i64::from(*member));
        }
        members.append(true);
    }
    let half = |shift: u32| -> ArrayRef {
        let half = |one: &Record| one.standalone.then_some((one.key.0 >> shift) as u64 as i64);
        Arc::new(all().map(|(_, one)| half(one)).collect::<Int64Array>())
    };
    let sources = both.iter().flat_map(|since| since.sources.iter().copied());
    batch(
        oids::RECORDS,
        vec![
            customers,
            accounts,
            Arc::new(members.finish()),
            half(64),
            half(0),
            integers(sources),
            times(seen_at, count),
        ],
    )
}
