//! Purge: the physical part of erasures. Every file with deleted rows is written anew without them,
//! the log and the definitions begin in new files, old files go as soon as nobody reads them; then
//! everything is searched for those who were erased.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::journal::{self, FileProof, Rewritten};
use super::needles;
use super::scan::{self, Scanned};
use super::thinned::thinned;
use crate::definition::Relation;
use crate::error::Result;
use crate::progress::Progress;
use crate::storage::commit::{Replacement, TableReplacement};
use crate::storage::compact::file_rows;
use crate::storage::flush::write_sorted;
use crate::storage::part::FilePart;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;
use crate::storage::upkeep::Upkeep;

/// How often it is looked whether readers have let go of old files.
const STEP: Duration = Duration::from_millis(10);

/// What a search found, and which files a purge has replaced.
#[derive(Debug, Clone, Default)]
pub struct Searched {
    /// Files in whose place others came, also by a purge that was cut short.
    pub rewritten: Vec<Rewritten>,
    /// What was searched, and where something was found.
    pub scanned: Scanned,
}

impl Store {
    /// Removes deleted rows from the disk. Readers of older snapshots have `wait` to end; returns
    /// how many files were taken from those who did not.
    ///
    /// # Errors
    /// A file cannot be read or written. What was done stays done.
    pub async fn purge(&self, wait: Duration, progress: Arc<Progress>) -> Result<u64> {
        self.maintain(move |upkeep| purge(upkeep, wait, &progress)).await
    }

    /// Searches for those whom some erasures took, also in texts that stand `beside`, with their
    /// places.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn search_erased(
        &self,
        (erasures, beside): (Vec<i64>, Vec<(String, Vec<u8>)>),
        progress: Arc<Progress>,
    ) -> Result<Searched> {
        self.maintain(move |upkeep| {
            progress.enter("searching");
            let shared = &upkeep.shared;
            let snapshot = shared.published();
            let needles = needles::read(&shared.directory, &erasures)?;
            let scanned = scan::all(shared, &snapshot, (&needles, &beside), &progress)?;
            let rewritten = journal::read(&shared.directory, &snapshot)?;
            Ok(Searched { rewritten, scanned })
        })
        .await
    }
}

fn purge(upkeep: &Upkeep, wait: Duration, progress: &Progress) -> Result<u64> {
    let shared = &upkeep.shared;
    let mut checkpointed = upkeep.working();
    progress.enter("flushing rows in memory");
    upkeep.flush_locked(&mut checkpointed, &Progress::default())?;
    progress.enter("rewriting files");
    rewrite(upkeep, progress)?;
    progress.enter("rewriting log and definitions");
    // The last checkpoint holds the old files, and the log has the erased rows.
    upkeep.flush_locked(&mut checkpointed, &Progress::default())?;
    shared.manifest.rewrite()?;
    // Flushes need not wait for readers.
    drop(checkpointed);
    progress.enter("waiting for readers");
    let_go(upkeep, wait)
}

/// Writes every file anew that has deleted rows or dropped columns.
fn rewrite(upkeep: &Upkeep, progress: &Progress) -> Result<()> {
    let base = upkeep.shared.published();
    let worn = |relation: &Relation, part: &FilePart| {
        let live =
            |number: &i16| relation.column_by_number(*number).is_some_and(|one| !one.dropped);
        part.deleted.is_some() || !part.entry.facts.columns.iter().all(live)
    };
    let mut todo: Vec<(Arc<Relation>, FilePart)> = Vec::new();
    for (oid, table) in base.tables.iter() {
        let Some(relation) = base.catalog.relation_by_oid(*oid) else { continue };
        let files = table.files.iter().filter(|part| worn(relation, part));
        todo.extend(files.map(|part| (Arc::clone(relation), part.clone())));
    }
    todo.iter().for_each(|(_, part)| progress.expect(part.entry.facts.bytes));
    // One file is written on each processor; one after the other is replaced.
    let (todo, replacing) = (Mutex::new(todo.into_iter()), Mutex::new(()));
    let work = || {
        loop {
            let Some((relation, part)) = todo.lock().next() else { return Ok(()) };
            rewrite_file(upkeep, (&base, &relation, &replacing), &part)?;
            progress.advance(part.entry.facts.bytes);
        }
    };
    super::on_processors(work).into_iter().collect()
}

fn rewrite_file(
    upkeep: &Upkeep,
    (base, relation, replacing): (&Arc<Snapshot>, &Arc<Relation>, &Mutex<()>),
    part: &FilePart,
) -> Result<()> {
    let shared = &upkeep.shared;
    let (files, moves) = match thinned(shared, relation, part)? {
        Some(written) => written,
        None => {
            let mut sources = Vec::new();
            file_rows(part, relation, &mut sources)?;
            write_sorted(shared, relation, &sources)?
        }
    };
    let after = files.iter().map(|one| FileProof::of(&one.entry)).collect::<Result<_>>()?;
    let one = Rewritten {
        relation: relation.oid,
        before: FileProof::of(&part.entry)?,
        live: part.live_rows(),
        after,
    };
    let _replacing = replacing.lock();
    journal::add(&shared.directory, &one)?;
    let removed = vec![part.entry.facts.part];
    let change = TableReplacement { relation: relation.oid, removed, files, moves };
    upkeep.replace(Replacement { base: Arc::clone(base), tables: vec![change] })?;
    Ok(())
}

/// Waits until nobody reads files that were replaced, then takes what is left; returns how many.
fn let_go(upkeep: &Upkeep, wait: Duration) -> Result<u64> {
    let graveyard = &upkeep.shared.graveyard;
    let end = Instant::now() + wait;
    loop {
        graveyard.empty();
        if graveyard.buried() == 0 {
            return Ok(0);
        }
        if Instant::now() >= end {
            return graveyard.take();
        }
        std::thread::sleep(STEP);
    }
}
