//! The rows of `identity.nodes`, `identity.records`, `identity.links` and of the rules, to and
//! from what the graph is told.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_identity::graph::{
    Evidence, Identifier, Key, Limits, Link, LinkKind, Node, Record,
};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListBuilder, RecordBatch,
    StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{
    Float64Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};

use super::gathered::{Gathered, New};
use super::rules::{Blocked, BlockedValue, RuleChange};
use crate::definition::{Column, Oid};
use crate::domains::Subject;
use crate::error::{Error, Result};
use crate::features::oids;
use crate::storage::arrays;
use crate::storage::reader::ColumnReader;
use crate::storage::snapshot::Snapshot;

/// What was gathered as rows: of `identity.nodes`, then of `identity.records`.
///
/// # Errors
/// None in practice: the arrays fit the tables.
pub(in crate::storage) fn rows(gathered: &Gathered, seen_at: i64) -> Result<[RecordBatch; 2]> {
    let both = [&gathered.person, &gathered.company];
    Ok([node_rows(both, seen_at)?, record_rows(both, seen_at)?])
}

/// Nodes as the columns `customer_id` and `account_id` keep them: the numbers of people's nodes,
/// then of companies', each in its column.
fn whose(person: &[Node], company: &[Node]) -> [ArrayRef; 2] {
    let number = |node: &Node| Some(i64::from(*node));
    let people = person.iter().map(number).chain(company.iter().map(|_| None));
    let companies = person.iter().map(|_| None).chain(company.iter().map(number));
    [Arc::new(people.collect::<Int64Array>()), Arc::new(companies.collect::<Int64Array>())]
}

fn integers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(values.map(|one| Some(i64::from(one))).collect::<Int64Array>())
}

pub(super) fn times(seen_at: i64, count: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_value(seen_at, count).with_timezone("UTC"))
}

/// Rows of a system table.
pub(super) fn batch(relation: Oid, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let relation = crate::features::relation(relation)
        .ok_or_else(|| Error::Internal(format!("relation {relation} is not built in")))?;
    let fields = relation.live_columns().map(|one| one.pg_type.field(&one.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = relation.live_columns().zip(&columns);
    let columns = columns.map(|(column, array)| arrays::fit(array, column.pg_type));
    Ok(RecordBatch::try_new(schema, columns.collect::<Result<_>>()?)?)
}

fn node_rows(both: [&New; 2], seen_at: i64) -> Result<RecordBatch> {
    let all = || both.iter().flat_map(|new| new.evidence.identifiers.iter().zip(&new.values));
    let nodes = both.map(|new| new.evidence.identifiers.iter().map(|one| one.node).collect());
    let [people, companies]: [Vec<Node>; 2] = nodes;
    let [customers, accounts] = whose(&people, &companies);
    let values: StringViewArray = all().map(|(_, (value, _))| Some(value)).collect();
    let count = values.len();
    batch(
        oids::NODES,
        vec![
            customers,
            accounts,
            integers(all().map(|(one, _)| one.namespace)),
            Arc::new(values),
            integers(all().map(|(_, (_, source))| *source)),
            times(seen_at, count),
        ],
    )
}

fn record_rows(both: [&New; 2], seen_at: i64) -> Result<RecordBatch> {
    let all =
        || both.into_iter().flat_map(|new| new.evidence.records.iter().map(move |one| (new, one)));
    let nodes = both.map(|new| new.evidence.records.iter().map(|one| one.node).collect());
    let [people, companies]: [Vec<Node>; 2] = nodes;
    let [customers, accounts] = whose(&people, &companies);
    let count = customers.len();
    let mut members = ListBuilder::new(Int64Builder::new());
    for (new, record) in all() {
        for member in members_of(&new.evidence, record) {
            members.values().append_value(i64::from(*member));
        }
        members.append(true);
    }
    let half = |shift: u32| -> ArrayRef {
        let half = |one: &Record| one.standalone.then_some((one.key.0 >> shift) as u64 as i64);
        Arc::new(all().map(|(_, one)| half(one)).collect::<Int64Array>())
    };
    let sources = both.iter().flat_map(|new| new.sources.iter().copied());
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

fn members_of<'a>(evidence: &'a Evidence, record: &Record) -> &'a [Node] {
    let range = record.members.start as usize..record.members.end as usize;
    evidence.members.get(range).unwrap_or_default()
}

/// What is stored about identity, decoded.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) rules: Vec<RuleChange>,
    pub(super) blocked: Vec<BlockedValue>,
    nodes: Vec<StoredNode>,
    records: Vec<StoredRecord>,
    links: Vec<(Subject, Link)>,
}

#[derive(Debug)]
struct StoredRecord {
    node: Node,
    subject: Subject,
    members: Vec<Node>,
    /// The key of one that is a customer by itself.
    content: Option<Key>,
    source: Oid,
}

#[derive(Debug)]
struct StoredNode {
    node: Node,
    subject: Subject,
    namespace: Oid,
    value: String,
}

impl Stored {
    /// Everything.
    pub(super) fn read(snapshot: &Snapshot) -> Result<Self> {
        let mut stored = Self::read_rules(snapshot)?;
        each_row(snapshot, oids::NODES, |rows, row| stored.take_nodes(rows, row))?;
        each_row(snapshot, oids::RECORDS, |rows, row| stored.take_records(rows, row))?;
        each_row(snapshot, oids::LINKS, |rows, row| stored.take_links(rows, row))?;
        Ok(stored)
    }

    /// The rules alone.
    pub(super) fn read_rules(snapshot: &Snapshot) -> Result<Self> {
        let mut stored = Self::default();
        each_row(snapshot, oids::RULE_CHANGES, |rows, row| stored.take_rules(rows, row))?;
        each_row(snapshot, oids::BLOCKED_VALUES, |rows, row| stored.take_blocked(rows, row))?;
        Ok(stored)
    }

    /// What the graphs are told: of people, of companies.
    pub(super) fn evidence(self, snapshot: &Snapshot, blocked: &Blocked) -> Result<[Evidence; 2]> {
        let mut both = [Evidence::default(), Evidence::default()];
        let mut keys: [HashMap<Node, Key>; 2] = Default::default();
        let mut patterns = HashMap::new();
        for one in self.nodes {
            let key = Key::of_identifier(one.namespace, &one.value);
            let patterns = patterns
                .entry(one.namespace)
                .or_insert_with(|| blocked.of(&snapshot.catalog, one.namespace));
            keys[one.subject as usize].insert(one.node, key);
            both[one.subject as usize].identifiers.push(Identifier {
                node: one.node,
                key,
                namespace: one.namespace,
                blocked: patterns.blocks(&one.value),
            });
        }
        for one in self.records {
            let keys = &keys[one.subject as usize];
            let known = || -> Vec<Key> {
                one.members.iter().filter_map(|one| keys.get(one).copied()).collect()
            };
            let of_members = || Key::of_record(one.source, &known());
            let key = one.content.unwrap_or_else(of_members);
            let evidence = &mut both[one.subject as usize];
            let start = u32::try_from(evidence.members.len()).unwrap_or(u32::MAX);
            evidence.members.extend(one.members);
            let end = u32::try_from(evidence.members.len()).unwrap_or(u32::MAX);
            let standalone = one.content.is_some();
            evidence.records.push(Record { node: one.node, key, members: start..end, standalone });
        }
        for (subject, link) in self.links {
            both[subject as usize].links.push(link);
        }
        Ok(both)
    }
}

/// The columns of a batch of a system table, in the order of its definition.
struct Columns(Vec<ArrayRef>);

impl Columns {
    fn integer(&self, at: usize, row: usize) -> Option<i64> {
        let array = self.0.get(at)?;
        let wide = array.as_primitive_opt::<Int64Type>().map(|one| one.value(row));
        let narrow = || array.as_primitive_opt::<Int32Type>().map(|one| i64::from(one.value(row)));
        array.is_valid(row).then(|| wide.or_else(narrow)).flatten()
    }

    fn number(&self, at: usize, row: usize) -> Option<u32> {
        self.integer(at, row).and_then(|one| u32::try_from(one).ok())
    }

    fn text(&self, at: usize, row: usize) -> Option<&str> {
        let array = self.0.get(at)?;
        array.is_valid(row).then(|| array.as_string_view_opt().map(|one| one.value(row))).flatten()
    }

    fn truth(&self, at: usize, row: usize) -> bool {
        self.0.get(at).and_then(|one| one.as_boolean_opt()).is_some_and(|one| one.value(row))
    }

    fn float(&self, at: usize, row: usize) -> Option<f64> {
        let array = self.0.get(at)?.as_primitive_opt::<Float64Type>()?;
        array.is_valid(row).then(|| array.value(row))
    }

    fn time(&self, at: usize, row: usize) -> Option<i64> {
        Some(self.0.get(at)?.as_primitive_opt::<TimestampMicrosecondType>()?.value(row))
    }

    /// Whose node is in the first of two columns, or else in the second.
    fn whose(&self, at: usize, row: usize) -> Option<(Subject, Node)> {
        let person = self.number(at, row).map(|node| (Subject::Person, node));
        person.or_else(|| Some((Subject::Company, self.number(at + 1, row)?)))
    }
}

impl Stored {
    fn take_nodes(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let (subject, node) = rows.whose(0, row)?;
        self.nodes.push(StoredNode {
            node,
            subject,
            namespace: rows.number(2, row)?,
            value: rows.text(3, row)?.to_owned(),
        });
        Some(())
    }

    fn take_records(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let members = rows.0.get(2)?.as_list_opt::<i32>()?.value(row);
        let members = members.as_primitive_opt::<Int64Type>()?.values().iter();
        let half = |at: usize| Some(u128::from(rows.integer(at, row)? as u64));
        let (subject, node) = rows.whose(0, row)?;
        self.records.push(StoredRecord {
            node,
            subject,
            members: members.filter_map(|one| Node::try_from(*one).ok()).collect(),
            content: half(3).zip(half(4)).map(|(high, low)| Key(high << 64 | low)),
            source: rows.number(5, row)?,
        });
        Some(())
    }

    fn take_links(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let (subject, a) = rows.whose(0, row)?;
        let kind = match rows.text(4, row)? {
            "merge" => LinkKind::Merged,
            "split" => LinkKind::Split,
            _ => LinkKind::Matched { weight: rows.float(5, row)? as f32 },
        };
        let (_, b) = rows.whose(2, row)?;
        self.links.push((subject, Link { a, b, kind }));
        Some(())
    }

    fn take_rules(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let limits = Limits {
            priority: u16::try_from(rows.integer(1, row)?).unwrap_or(u16::MAX),
            per_customer: rows.number(2, row),
            fan_out: rows.number(3, row),
        };
        let (namespace, changed_at) = (rows.text(0, row)?.to_owned(), rows.time(5, row)?);
        self.rules.push(RuleChange { namespace, limits, changed_at });
        Some(())
    }

    fn take_blocked(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let (namespace, pattern) = (rows.text(0, row)?.to_owned(), rows.text(1, row)?.to_owned());
        self.blocked.push(BlockedValue { namespace, pattern, regex: rows.truth(2, row) });
        Some(())
    }
}

/// Shows every live row of a system table.
fn each_row(
    snapshot: &Snapshot,
    relation: Oid,
    mut take: impl FnMut(&Columns, usize) -> Option<()>,
) -> Result<()> {
    let Some(relation) = snapshot.catalog.relation_by_oid(relation) else { return Ok(()) };
    let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(()) };
    let columns: Vec<&Column> = relation.live_columns().collect();
    let damaged = || Error::Internal(format!("a row of {} is malformed", relation.name));
    for part in table.files.iter() {
        let mut reader = ColumnReader::new(&part.entry, columns.clone(), None)?;
        let mut first = 0;
        while let Some((arrays, rows)) = reader.next()? {
            let rows_of = Columns(arrays);
            for row in 0..rows {
                if part.is_live(first + u32::try_from(row).unwrap_or(0)) {
                    take(&rows_of, row).ok_or_else(damaged)?;
                }
            }
            first += u32::try_from(rows).unwrap_or(0);
        }
    }
    for part in &table.memory {
        for batch in &part.batches {
            let arrays = columns.iter().map(|column| arrays::column_of(batch, column));
            let rows_of = Columns(arrays.collect::<Result<_>>()?);
            for row in 0..batch.rows {
                if part.is_live(batch.start + u32::try_from(row).unwrap_or(0)) {
                    take(&rows_of, row).ok_or_else(damaged)?;
                }
            }
        }
    }
    Ok(())
}
