//! What is stored about identity, decoded.

use clientele_identity::graph::{Key, Limits, LinkKind, Node};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};

use super::rules::{BlockedValue, RuleChange};
use crate::definition::{Column, Oid};
use crate::domains::Subject;
use crate::error::{Error, Result};
use crate::features::oids;
use crate::storage::arrays;
use crate::storage::part::RowAddress;
use crate::storage::reader::ColumnReader;
use crate::storage::snapshot::Snapshot;

/// Everything, in no order.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) rules: Vec<RuleChange>,
    pub(super) blocked: Vec<BlockedValue>,
    pub(super) nodes: Vec<StoredNode>,
    pub(super) records: Vec<StoredRecord>,
    pub(super) links: Vec<StoredLink>,
}

/// A row of `identity.links`.
#[derive(Debug)]
pub(super) struct StoredLink {
    pub(super) subject: Subject,
    pub(super) ends: (Node, Node),
    /// `None`: what was said of the two before is taken back.
    pub(super) kind: Option<LinkKind>,
    /// Microseconds since 1970.
    pub(super) at: i64,
}

/// A row of `identity.records`.
#[derive(Debug)]
pub(super) struct StoredRecord {
    pub(super) node: Node,
    pub(super) subject: Subject,
    pub(super) members: Vec<Node>,
    /// The key of one that is a customer by itself.
    pub(super) content: Option<Key>,
    pub(super) source: Oid,
    /// Microseconds since 1970.
    pub(super) at: i64,
}

/// A row of `identity.nodes`.
#[derive(Debug)]
pub(super) struct StoredNode {
    pub(super) node: Node,
    pub(super) subject: Subject,
    pub(super) namespace: Oid,
    pub(super) value: String,
    pub(super) source: Oid,
    /// Microseconds since 1970.
    pub(super) at: i64,
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
}

/// The columns of a batch of a system table, in the order of its definition.
pub(in crate::storage) struct Columns(pub(super) Vec<ArrayRef>);

impl Columns {
    pub(in crate::storage) fn integer(&self, at: usize, row: usize) -> Option<i64> {
        let array = self.0.get(at)?;
        let wide = array.as_primitive_opt::<Int64Type>().map(|one| one.value(row));
        let narrow = || array.as_primitive_opt::<Int32Type>().map(|one| i64::from(one.value(row)));
        array.is_valid(row).then(|| wide.or_else(narrow)).flatten()
    }

    pub(in crate::storage) fn number(&self, at: usize, row: usize) -> Option<u32> {
        self.integer(at, row).and_then(|one| u32::try_from(one).ok())
    }

    pub(in crate::storage) fn text(&self, at: usize, row: usize) -> Option<&str> {
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
    pub(super) fn whose(&self, at: usize, row: usize) -> Option<(Subject, Node)> {
        let person = self.number(at, row).map(|node| (Subject::Person, node));
        person.or_else(|| Some((Subject::Company, self.number(at + 1, row)?)))
    }
}

impl Stored {
    pub(super) fn take_nodes(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let (subject, node) = rows.whose(0, row)?;
        self.nodes.push(StoredNode {
            node,
            subject,
            namespace: rows.number(2, row)?,
            value: rows.text(3, row)?.to_owned(),
            source: rows.number(4, row)?,
            at: rows.time(5, row)?,
        });
        Some(())
    }

    pub(super) fn take_records(&mut self, rows: &Columns, row: usize) -> Option<()> {
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
            at: rows.time(6, row)?,
        });
        Some(())
    }

    fn take_links(&mut self, rows: &Columns, row: usize) -> Option<()> {
        let (subject, a) = rows.whose(0, row)?;
        let (_, b) = rows.whose(2, row)?;
        let kind = match rows.text(4, row)? {
            "merge" => Some(LinkKind::Merged),
            "split" => Some(LinkKind::Split),
            "match" => Some(LinkKind::Matched { weight: rows.float(5, row)? as f32 }),
            _ => None,
        };
        self.links.push(StoredLink { subject, ends: (a, b), kind, at: rows.time(10, row)? });
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
///
/// # Errors
/// A file cannot be read; [`Error::Internal`] for a row that `take` does not understand.
pub(in crate::storage) fn each_row(
    snapshot: &Snapshot,
    relation: Oid,
    mut take: impl FnMut(&Columns, usize) -> Option<()>,
) -> Result<()> {
    let damaged = || Error::Internal(format!("a row of relation {relation} is malformed"));
    each_address(snapshot, relation, |rows, row, _| take(rows, row).ok_or_else(damaged))
}

/// Where the live rows of a system table are that are wanted.
///
/// # Errors
/// A file cannot be read.
pub(super) fn addresses(
    snapshot: &Snapshot,
    relation: Oid,
    wanted: impl Fn(&Columns, usize) -> bool,
) -> Result<Vec<RowAddress>> {
    let mut found = Vec::new();
    each_address(snapshot, relation, |rows, row, address| {
        found.extend(wanted(rows, row).then_some(address));
        Ok(())
    })?;
    Ok(found)
}

fn each_address(
    snapshot: &Snapshot,
    relation: Oid,
    mut take: impl FnMut(&Columns, usize, RowAddress) -> Result<()>,
) -> Result<()> {
    let Some(relation) = snapshot.catalog.relation_by_oid(relation) else { return Ok(()) };
    let Some(table) = snapshot.table_ref(relation.oid) else { return Ok(()) };
    let columns: Vec<&Column> = relation.live_columns().collect();
    for part in table.files.iter() {
        let mut reader = ColumnReader::new(&part.entry, columns.clone(), None)?;
        let mut address = RowAddress { part: part.entry.facts.part, row: 0 };
        while let Some((arrays, rows)) = reader.next()? {
            let arrays = Columns(arrays);
            for row in 0..rows {
                if part.is_live(address.row) {
                    take(&arrays, row, address)?;
                }
                address.row += 1;
            }
        }
    }
    for part in &table.memory {
        for batch in &part.batches {
            let arrays = columns.iter().map(|column| arrays::column_of(batch, column));
            let arrays = Columns(arrays.collect::<Result<_>>()?);
            let mut address = RowAddress { part: part.id, row: batch.start };
            for row in 0..batch.rows {
                if part.is_live(address.row) {
                    take(&arrays, row, address)?;
                }
                address.row += 1;
            }
        }
    }
    Ok(())
}
