//! What superusers read again and again: the first read by a statement is an entry of its own, those
//! that follow within seconds are put together in one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clientele_catalog::definition::Oid;
use parking_lot::Mutex;

use super::entry::Entry;
use super::watched::Target;

/// How long reads are put together before they are in the log.
const TOGETHER: Duration = Duration::from_secs(10);

/// Reads that are the same but for their rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The role.
    pub(crate) role: String,
    /// The statement without its literals.
    pub(crate) statement: Arc<str>,
    /// Columns with schema and table.
    pub(crate) columns: Vec<Arc<str>>,
    /// The purpose that the session stated.
    pub(crate) purpose: Option<String>,
}

impl Key {
    /// The entry of one read.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            kind: "read",
            role: self.role.clone(),
            columns: self.columns.iter().map(|one| one.as_ref().to_owned()).collect(),
            statement: Some(self.statement.as_ref().to_owned()),
            purpose: self.purpose.clone(),
            ..Entry::default()
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    reads: i64,
    /// `None`: no statement among them gave rows.
    rows: Option<i64>,
}

/// Reads since the last entry, by database.
#[derive(Debug, Default)]
pub(crate) struct Repeated(Mutex<HashMap<Oid, HashMap<Key, Tally>>>);

impl Repeated {
    /// Whether there was such a read within the last seconds; else it is the first one.
    pub(crate) fn is_known(&self, target: &Target, key: &Key) -> bool {
        let mut all = self.0.lock();
        let of_database = all.entry(target.database).or_default();
        if of_database.contains_key(key) {
            return true;
        }
        let is_alone = of_database.is_empty();
        of_database.insert(key.clone(), Tally::default());
        drop(all);
        if is_alone {
            later(target);
        }
        false
    }

    /// Adds a read.
    pub(crate) fn add(&self, target: &Target, key: &Key, rows: Option<usize>) {
        let mut all = self.0.lock();
        let of_database = all.entry(target.database).or_default();
        let is_alone = of_database.is_empty();
        let tally = of_database.entry(key.clone()).or_default();
        tally.reads += 1;
        if let Some(rows) = rows.and_then(|rows| i64::try_from(rows).ok()) {
            tally.rows = Some(tally.rows.unwrap_or(0) + rows);
        }
        drop(all);
        // Its rows have taken longer than others are remembered.
        if is_alone {
            later(target);
        }
    }

    /// The entries that wait.
    pub(crate) fn pending(&self, database: Oid) -> Vec<Entry> {
        let all = self.0.lock();
        let tallies = all.get(&database).into_iter().flatten();
        tallies.filter(|(_, tally)| tally.reads > 0).map(entry).collect()
    }

    /// Takes the entries that wait; what nobody has read again is forgotten.
    fn take(&self, database: Oid) -> (Vec<Entry>, bool) {
        let mut all = self.0.lock();
        let Some(of_database) = all.get_mut(&database) else { return (Vec::new(), false) };
        of_database.retain(|_, tally| tally.reads > 0);
        let entries = of_database.iter().map(entry).collect();
        of_database.values_mut().for_each(|tally| *tally = Tally::default());
        (entries, !of_database.is_empty())
    }

    /// Takes what waits of all databases, at the end.
    pub(crate) fn drain(&self) -> Vec<(Oid, Vec<Entry>)> {
        let databases: Vec<Oid> = self.0.lock().keys().copied().collect();
        databases.into_iter().map(|database| (database, self.take(database).0)).collect()
    }
}

fn entry((key, tally): (&Key, &Tally)) -> Entry {
    Entry { row_count: tally.rows, read_count: Some(tally.reads), ..key.entry() }
}

/// Writes down what has come together, as long as there is something.
fn later(target: &Target) {
    let Ok(cpu) = target.engine.cpu() else { return };
    let (engine, store) = (Arc::downgrade(&target.engine), Arc::downgrade(&target.store));
    let database = target.database;
    cpu.spawn(async move {
        loop {
            tokio::time::sleep(TOGETHER).await;
            let (Some(engine), Some(store)) = (engine.upgrade(), store.upgrade()) else { return };
            let (entries, more) = engine.auditor.repeated.take(database);
            let target = Target { engine, store, database };
            if !entries.is_empty()
                && let Err(error) = target.append(&entries).await
            {
                tracing::error!(error = %error.message, "reads could not be written to the audit log");
            }
            if !more {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_is_one_entry_and_then_forgotten() {
        let repeated = Repeated::default();
        let key = |statement: &str| Key {
            role: "admin".to_owned(),
            statement: statement.into(),
            columns: vec!["crm.contacts.email".into()],
            purpose: None,
        };
        let read = |statement, rows| {
            let mut all = repeated.0.lock();
            let tally = all.entry(5).or_default().entry(key(statement)).or_default();
            (tally.reads, tally.rows) = (tally.reads + 1, rows);
        };
        read("SELECT email FROM crm.contacts", Some(7));
        read("SELECT email FROM crm.contacts", Some(9));
        repeated.0.lock().entry(5).or_default().insert(key("SELECT 1"), Tally::default());
        let entries = repeated.pending(5);
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].read_count, entries[0].row_count), (Some(2), Some(9)));
        assert_eq!(repeated.take(5), (entries, true));
        // Within the next seconds it is known still, but there is nothing to write.
        assert_eq!(repeated.take(5), (Vec::new(), false));
        assert!(repeated.pending(6).is_empty());
    }
}
