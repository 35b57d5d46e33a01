//! Publishing: a table as a Delta table, which DuckDB, Spark, Polars and delta-rs open.
//!
//! Deleted rows are folded into the table's files first. A file that shows the table as it is gets
//! a second name in the target directory; one that does not (a renamed or younger column, a type
//! that Delta lacks, rows deleted since) is written anew beside it. Names say what is in a file,
//! so that the next version takes over what has not changed.
//!
//! ```text
//! <part>-<crc>.parquet                     the table's own file, a hard link
//! <part>-<crc>-<deleted>-<shape>.parquet   the same rows as the table shows them
//! memory-<uuid>.parquet                    rows that were committed meanwhile
//! _delta_log/<version>.json                the protocol (Delta PROTOCOL.md)
//! ```

mod log;
mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::backup::link;
use super::disk;
use super::part::{FilePart, MemoryPart};
use super::store::Store;
use super::upkeep::Upkeep;
use crate::definition::{Oid, Relation};
use crate::error::{Error, Result};
use crate::progress::Progress;
use log::{Add, Log};
use schema::Shape;

/// A version of a published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number; the one before when nothing had changed.
    pub version: u64,
    /// Its files.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
}

impl Store {
    /// Publishes a table as it is now: a new version of the Delta table in `target`. Files that no
    /// version has needed for as long as `retention` are unlinked.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the table is gone or somebody else publishes to the directory, I/O
    /// failures; the version before holds then.
    pub async fn publish_delta(
        &self,
        relation: Oid,
        target: &Path,
        (retention, progress): (Duration, Arc<Progress>),
    ) -> Result<Published> {
        let target = target.to_owned();
        self.maintain(move |upkeep| publish(upkeep, relation, &target, (retention, &progress)))
            .await
    }
}

fn publish(
    upkeep: &Upkeep,
    oid: Oid,
    target: &Path,
    (retention, progress): (Duration, &Progress),
) -> Result<Published> {
    upkeep.flush(progress)?;
    upkeep.compact(Some(oid), true, progress)?;
    // Holding the snapshot keeps its files.
    let snapshot = upkeep.shared.published();
    let relation = snapshot.catalog.relation_by_oid(oid).ok_or(Error::Conflict)?;
    let relation = &without_nodes(relation);
    let schema = snapshot.catalog.schema_by_oid(relation.schema).ok_or(Error::Conflict)?;
    let name = format!("{}.{}", schema.name, relation.name);
    disk::make_directory(&target.join(log::DIRECTORY))?;
    let mut log = Log::read(target)?;
    let publisher = Publisher { target, relation, shape: Shape::new(relation)? };
    let table = snapshot.table(oid);
    progress.enter("publishing files");
    progress.expect(table.file_bytes());
    let mut files = Vec::new();
    for part in table.files.iter().filter(|part| part.live_rows() > 0) {
        files.push(publisher.file(part, &log)?);
        progress.advance(part.entry.facts.bytes);
        progress.advance_rows(part.live_rows());
    }
    for part in table.memory.iter().filter(|part| part.live_rows() > 0) {
        files.push(publisher.memory(part)?);
        progress.advance_rows(part.live_rows());
    }
    disk::sync_directory(target)?;
    let rows = files.iter().map(|file| file.rows).sum();
    let count = files.len() as u64;
    let version = log.commit(&name, relation, &publisher.shape, &files)?;
    log.expire(retention)?;
    drop(snapshot);
    upkeep.shared.graveyard.empty();
    Ok(Published { version, files: count, rows })
}

/// The relation without the columns of nodes, which say nothing outside.
fn without_nodes(relation: &Relation) -> Relation {
    let mut relation = relation.clone();
    for column in &mut relation.columns {
        column.dropped |= column.subject.is_some();
    }
    relation
}

struct Publisher<'a> {
    target: &'a Path,
    relation: &'a Relation,
    shape: Shape,
}

impl Publisher<'_> {
    /// A file of the table, in the target directory.
    fn file(&self, part: &FilePart, log: &Log) -> Result<Add> {
        let facts = &part.entry.facts;
        let deleted = part.deleted.as_ref().map_or(0, |deleted| deleted.len());
        let is_shown = deleted == 0 && self.shape.shows(self.relation, &part.entry)?;
        let name = match is_shown {
            true => format!("{}-{:08x}.parquet", facts.part, facts.crc),
            false => {
                let tag = self.shape.tag;
                format!("{}-{:08x}-{deleted}-{tag:08x}.parquet", facts.part, facts.crc)
            }
        };
        if let Some(known) = log.active(&name) {
            return Ok(known.clone());
        }
        let to = self.target.join(&name);
        // A name stands for its content, and is given to whole files only.
        if !to.exists() {
            let draft = self.draft();
            match is_shown {
                true => link(&part.entry.path, &draft)?,
                false => rows::write_file_part(part, self.relation, &self.shape, &draft)?,
            }
            std::fs::rename(&draft, &to).map_err(|error| disk::io_error(&to, error))?;
        }
        let ranges = self.shape.ranges(self.relation, facts);
        Add::new(&to, name, part.live_rows(), deleted == 0, ranges)
    }

    fn memory(&self, part: &Arc<MemoryPart>) -> Result<Add> {
        let name = format!("memory-{}.parquet", uuid::Uuid::new_v4());
        let (draft, to) = (self.draft(), self.target.join(&name));
        rows::write_memory_part(part, self.relation, &self.shape, &draft)?;
        std::fs::rename(&draft, &to).map_err(|error| disk::io_error(&to, error))?;
        Add::new(&to, name, part.live_rows(), true, Vec::new())
    }

    fn draft(&self) -> PathBuf {
        self.target.join(format!("{}{}", log::DRAFT_PREFIX, uuid::Uuid::new_v4()))
    }
}
