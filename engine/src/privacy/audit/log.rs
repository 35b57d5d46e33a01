//! The chain on disk.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::cluster::Cluster;
use clientele_catalog::definition::Oid;
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids::AUDIT;
use clientele_catalog::storage::{NodeRows, Snapshot, Store, Transaction};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringViewBuilder,
};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use tokio::sync::{Mutex, MutexGuard};

use super::entry::{self, Entry, Place};
use super::repeated::Repeated;
use crate::builtin::{self, numbers, texts, times};
use crate::error::Result;

/// The last entry of each database, once asked for; whoever adds one holds the lock.
#[derive(Default)]
pub(crate) struct Auditor {
    last: Mutex<HashMap<Oid, (i64, String)>>,
    /// Reads that are put together.
    pub(crate) repeated: Repeated,
}

/// An entry as it is stored.
pub(super) struct Stored {
    pub(super) number: i64,
    pub(super) at: i64,
    pub(super) kind: String,
    pub(super) entry: Entry,
    pub(super) previous: String,
    pub(super) hash: String,
}

impl Auditor {
    /// Writes down what waits to be put together.
    ///
    /// # Errors
    /// What a commit meets.
    pub(crate) async fn end(&self, cluster: &Cluster) -> Result<()> {
        for (database, entries) in self.repeated.drain() {
            // A database that has been dropped has no log any more.
            if let (false, Ok(store)) = (entries.is_empty(), cluster.store(database)) {
                append(self, (&store, database), &entries).await?;
            }
        }
        Ok(())
    }

    /// The chain of a database; others wait until it is given back.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) async fn chain<'a>(&'a self, store: &'a Store, database: Oid) -> Result<Chain<'a>> {
        let all = self.last.lock().await;
        let last = match all.get(&database) {
            Some(last) => last.clone(),
            None => stored(store, &store.snapshot())?
                .pop()
                .map_or_else(|| (0, String::new()), |one| (one.number, one.hash)),
        };
        Ok(Chain { all, store, database, last })
    }
}

/// The end of a chain, while somebody adds to it.
pub(crate) struct Chain<'a> {
    all: MutexGuard<'a, HashMap<Oid, (i64, String)>>,
    store: &'a Store,
    database: Oid,
    last: (i64, String),
}

impl Chain<'_> {
    /// Adds entries, in a transaction.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn add(&mut self, transaction: &mut Transaction, entries: &[Entry]) -> Result<()> {
        for entry in entries {
            let number = self.last.0 + 1;
            let at = Utc::now().timestamp_micros();
            let place = Place { number, at, previous: &self.last.1 };
            let hash = entry::hash(self.store.brand_key(), entry.kind, entry, place);
            transaction.insert(AUDIT, row(entry, place, &hash)?)?;
            self.last = (number, hash);
        }
        Ok(())
    }

    /// The entries are on disk.
    pub(crate) fn committed(mut self) {
        self.all.insert(self.database, self.last);
    }
}

/// Adds entries to the log of a database, in a transaction of their own.
///
/// # Errors
/// What a commit meets: a full disk.
pub(super) async fn append(
    auditor: &Auditor,
    (store, database): (&Arc<Store>, Oid),
    entries: &[Entry],
) -> Result<()> {
    let mut chain = auditor.chain(store, database).await?;
    let mut transaction = builtin::begin(store);
    chain.add(&mut transaction, entries)?;
    store.commit(transaction).await?;
    chain.committed();
    Ok(())
}

fn row(entry: &Entry, place: Place<'_>, hash: &str) -> Result<RecordBatch> {
    let text = |value: Option<&str>| texts([value]);
    let mut columns = ListBuilder::new(StringViewBuilder::new());
    for column in &entry.columns {
        columns.values().append_value(column);
    }
    columns.append(true);
    let values = [
        numbers([Some(place.number)]),
        times([Some(place.at)]),
        text(Some(entry.kind)),
        text(Some(&entry.role)),
        Arc::new(columns.finish()) as ArrayRef,
        text(entry.statement.as_deref()),
        numbers([entry.row_count]),
        text(entry.purpose.as_deref()),
        text(entry.reason.as_deref()),
        text(Some(place.previous)),
        text(Some(hash)),
        numbers([entry.read_count]),
    ];
    builtin::batch(AUDIT, &values)
}

/// All entries, by number.
///
/// # Errors
/// A file cannot be read.
pub(super) fn stored(store: &Store, snapshot: &Snapshot) -> Result<Vec<Stored>> {
    let table = builtin::table(AUDIT)?;
    let numbers: Vec<i16> = table.live_columns().map(|one| one.number).collect();
    let mut found = Vec::new();
    store.node_rows(snapshot, table, (Subject::Person, &numbers), |rows: NodeRows| {
        let count = rows.addresses.len();
        found.extend((0..count).filter_map(|row| read(&rows.columns, row)));
    })?;
    found.sort_unstable_by_key(|one: &Stored| one.number);
    Ok(found)
}

fn read(columns: &[ArrayRef], row: usize) -> Option<Stored> {
    let text = |at: usize| {
        let texts = columns.get(at)?.as_string_view_opt()?;
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let number = |at: usize| {
        let numbers = columns.get(at)?.as_primitive_opt::<Int64Type>()?;
        numbers.is_valid(row).then(|| numbers.value(row))
    };
    let list = columns.get(4)?.as_list_opt::<i32>()?.value(row);
    let names = list.as_string_view_opt()?.iter().flatten().map(str::to_owned).collect();
    Some(Stored {
        number: number(0)?,
        at: columns.get(1)?.as_primitive_opt::<TimestampMicrosecondType>()?.value(row),
        kind: text(2)?,
        entry: Entry {
            kind: "",
            role: text(3)?,
            columns: names,
            statement: text(5),
            row_count: number(6),
            purpose: text(7),
            reason: text(8),
            read_count: number(11),
        },
        previous: text(9)?,
        hash: text(10)?,
    })
}
