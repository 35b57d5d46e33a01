//! Recovery: the last checkpoint, then the log.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::disk;
use super::file::{FileEntry, Graveyard};
use super::log::{
    FileRecord, Payload, Position, Segment, TableRecord, decode_rows, list_segments, segment_path,
};
use super::manifest::{Checkpoint, Facts, Manifest};
use super::part::{FilePart, PartId};
use super::snapshot::Snapshot;
use crate::definition::Oid;
use crate::error::{Error, Result};

/// What a replay of the log leads to.
pub(crate) struct Recovered {
    pub(crate) snapshot: Snapshot,
    /// The end of the log.
    pub(crate) position: Position,
    pub(crate) next_part: PartId,
    pub(crate) next_oid: Oid,
    /// Records that were read.
    pub(crate) records: u64,
}

/// Applies the log to a checkpoint.
///
/// # Errors
/// [`Error::Damaged`] when a record is missing in the middle; a torn end is no error.
pub(crate) fn replay(
    directory: &Path,
    start: Checkpoint,
    graveyard: &Arc<Graveyard>,
) -> Result<Recovered> {
    let Checkpoint { facts, snapshot } = start;
    let mut replay = Replay {
        directory,
        graveyard,
        memory_parts: facts.memory_parts.iter().copied().collect(),
        next_part: facts.next_part,
        next_oid: facts.next_oid,
        snapshot,
    };
    let mut position = facts.replay_from;
    let mut records = 0;
    let segments = list_segments(directory)?;
    if facts.replay_from != Position::START && !segments.contains(&facts.replay_from.segment) {
        let path = segment_path(directory, facts.replay_from.segment).display().to_string();
        return Err(Error::Damaged { path, reason: "the segment is missing".to_owned() });
    }
    for number in segments.into_iter().filter(|number| *number >= facts.replay_from.segment) {
        let segment = Segment::open(directory, number)?;
        let offset = if number == facts.replay_from.segment {
            facts.replay_from.offset
        } else {
            Position::START.offset
        };
        let claimed = segment.claimed_sequence(offset)?;
        if number > position.segment && claimed > position.sequence {
            let reason = format!("record {} is missing or damaged before it", position.sequence);
            return Err(Error::Damaged { path: segment.path.display().to_string(), reason });
        }
        let mut at = offset;
        while let Some(record) = segment.read(at, position.sequence)? {
            replay
                .apply(&Payload::decode(&record.payload)?, record.sequence < facts.complete_to)?;
            at = record.end;
            position = Position { segment: number, offset: at, sequence: position.sequence + 1 };
            records += 1;
        }
        if segment.group_after(at, position.sequence)?.is_some() {
            let reason = format!("record {} is damaged", position.sequence);
            return Err(Error::Damaged { path: segment.path.display().to_string(), reason });
        }
    }
    let Replay { snapshot, next_part, next_oid, .. } = replay;
    Ok(Recovered { snapshot, position, next_part, next_oid, records })
}

struct Replay<'a> {
    directory: &'a Path,
    graveyard: &'a Arc<Graveyard>,
    memory_parts: HashMap<PartId, Oid>,
    next_part: PartId,
    next_oid: Oid,
    snapshot: Snapshot,
}

impl Replay<'_> {
    /// Applies a record. Of one that the checkpoint has (`known`), only rows that are nowhere else.
    fn apply(&mut self, payload: &Payload, known: bool) -> Result<()> {
        if !known {
            let catalog = Arc::make_mut(&mut self.snapshot.catalog);
            for object in &payload.objects {
                self.next_oid = self.next_oid.max(object.oid() + 1);
                catalog.put(object.clone());
            }
            for oid in &payload.dropped {
                catalog.remove(*oid);
                Arc::make_mut(&mut self.snapshot.tables).remove(oid);
            }
        }
        for table in &payload.tables {
            if known { self.apply_known(table)? } else { self.apply_table(table)? }
        }
        for replaced in payload.replaced.iter().filter(|_| !known) {
            let parts = self.files(&replaced.files)?;
            let table = self.table(replaced.relation);
            table.remove_parts(&replaced.removed);
            parts.into_iter().for_each(|part| table.add_file(part));
        }
        Ok(())
    }

    fn apply_table(&mut self, record: &TableRecord) -> Result<()> {
        let files = self.files(&record.files)?;
        if let Some(rows) = &record.rows {
            self.next_part = self.next_part.max(rows.part + 1);
        }
        let table = self.table(record.relation);
        if record.truncated {
            *table = Default::default();
        }
        for (part, rows) in &record.deleted {
            table.delete(*part, &rows.bitmap()?);
        }
        if let Some(rows) = &record.rows {
            append(table, rows)?;
        }
        files.into_iter().for_each(|part| table.add_file(part));
        Ok(())
    }

    fn apply_known(&mut self, record: &TableRecord) -> Result<()> {
        let wanted: Vec<PartId> = self.memory_parts.keys().copied().collect();
        let table = self.table(record.relation);
        for (part, rows) in record.deleted.iter().filter(|(part, _)| wanted.contains(part)) {
            table.delete(*part, &rows.bitmap()?);
        }
        match &record.rows {
            Some(rows) if wanted.contains(&rows.part) => append(table, rows),
            _ => Ok(()),
        }
    }

    fn files(&mut self, records: &[FileRecord]) -> Result<Vec<FilePart>> {
        let mut parts = Vec::with_capacity(records.len());
        for record in records {
            self.next_part = self.next_part.max(record.facts.part + 1);
            let deleted = record.deleted.as_ref().map(|body| body.bitmap()).transpose()?;
            let entry = FileEntry::new(record.facts.clone(), self.directory, self.graveyard);
            parts.push(FilePart { entry: Arc::new(entry), deleted: deleted.map(Arc::new) });
        }
        Ok(parts)
    }

    fn table(&mut self, relation: Oid) -> &mut super::part::TableData {
        let tables = Arc::make_mut(&mut self.snapshot.tables);
        Arc::make_mut(tables.entry(relation).or_default())
    }
}

fn append(table: &mut super::part::TableData, rows: &super::log::RowsRecord) -> Result<()> {
    let batch = decode_rows(rows)?;
    let part = table.memory_part_mut(rows.part);
    if part.rows != rows.start {
        let (part, found) = (rows.part, part.rows);
        return Err(Error::Internal(format!("part {part} has {found} rows, not {}", rows.start)));
    }
    part.append(batch.columns, batch.arrays, batch.rows)?;
    Ok(())
}

/// Opens the checkpoint of a directory and replays its log.
///
/// # Errors
/// A file is damaged or cannot be read.
pub(crate) fn recover(
    directory: &Path,
    manifest: &Manifest,
    graveyard: &Arc<Graveyard>,
) -> Result<(Recovered, Snapshot, Facts)> {
    let checkpoint = manifest.load(directory, graveyard)?;
    let (stored, facts) = (checkpoint.snapshot.clone(), checkpoint.facts.clone());
    let recovered = replay(directory, checkpoint, graveyard)?;
    Ok((recovered, stored, facts))
}

/// Files in the directory of data that no snapshot has: a crash left them. They are unlinked.
///
/// # Errors
/// The directory cannot be read or changed.
pub(crate) fn remove_orphans(
    directory: &Path,
    snapshot: &Snapshot,
) -> Result<Vec<std::path::PathBuf>> {
    let known: BTreeMap<std::path::PathBuf, ()> = snapshot
        .tables
        .values()
        .flat_map(|table| table.files.iter().map(|part| (part.entry.path.clone(), ())))
        .collect();
    let orphans: Vec<_> =
        data_files(directory)?.into_iter().filter(|path| !known.contains_key(path)).collect();
    for path in &orphans {
        disk::unlink(path)?;
    }
    let log = directory.join("log");
    for entry in std::fs::read_dir(&log).map_err(|error| disk::io_error(&log, error))? {
        let path = entry.map_err(|error| disk::io_error(&log, error))?.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            disk::unlink(&path)?;
        }
    }
    Ok(orphans)
}

/// All files below `files/`.
///
/// # Errors
/// A directory cannot be read.
pub(crate) fn data_files(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut paths = Vec::new();
    let root = directory.join("files");
    let list = |path: &Path| -> Result<Vec<std::path::PathBuf>> {
        let entries = std::fs::read_dir(path).map_err(|error| disk::io_error(path, error))?;
        entries
            .map(|entry| Ok(entry.map_err(|error| disk::io_error(path, error))?.path()))
            .collect()
    };
    for relation in list(&root)? {
        if relation.is_dir() { paths.extend(list(&relation)?) } else { paths.push(relation) }
    }
    Ok(paths)
}
