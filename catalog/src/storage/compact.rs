//! Compaction: small files become larger ones, and deleted rows leave the disk.

use std::sync::Arc;

use super::arrays;
use super::commit::{Replacement, TableReplacement};
use super::flush::{Source, write_sorted};
use super::part::{FilePart, MemoryBatch, filter_all};
use super::reader::ColumnReader;
use super::shared::Shared;
use crate::definition::{Oid, Relation};
use crate::error::Result;

/// Files of fewer rows than this share of the largest allowed are merged.
const SMALL_SHARE: u64 = 4;
/// Small files that have to be there before they are merged unasked.
const SMALL_MIN: usize = 4;
/// One in so many rows deleted, and a file is rewritten unasked.
const DEAD_SHARE: u64 = 5;
/// Bytes of files that one rewrite takes in at most; rows are some times as large in memory.
const BYTES_MAX: u64 = 128 << 20;

/// Writes the next files that ought to be merged to new ones; `None` when nothing is left to do.
/// `all`: also what could wait, any deleted row and any two small files.
///
/// # Errors
/// A file cannot be read or written.
pub(super) fn merge_files(shared: &Shared, oid: Oid, all: bool) -> Result<Option<Replacement>> {
    let snapshot = shared.published();
    let Some(relation) = snapshot.catalog.relation_by_oid(oid) else { return Ok(None) };
    let table = snapshot.table(oid);
    let chosen = choose(&table.files, u64::try_from(shared.options.file_rows).unwrap_or(1), all);
    if chosen.is_empty() {
        return Ok(None);
    }
    let mut sources = Vec::new();
    for part in &chosen {
        file_rows(part, relation, &mut sources)?;
    }
    let (files, moves) = write_sorted(shared, relation, &sources)?;
    let removed = chosen.iter().map(|part| part.entry.facts.part).collect();
    let change = TableReplacement { relation: oid, removed, files, moves };
    Ok(Some(Replacement { base: Arc::clone(&snapshot), tables: vec![change] }))
}

fn choose(files: &[FilePart], file_rows: u64, all: bool) -> Vec<FilePart> {
    let dead = |part: &FilePart| part.deleted.as_ref().map_or(0, |deleted| deleted.len());
    let is_small = |part: &FilePart| part.live_rows() < file_rows.div_ceil(SMALL_SHARE);
    let is_worn = |part: &FilePart| {
        dead(part) > 0 && (all || dead(part) * DEAD_SHARE > part.entry.facts.rows)
    };
    let small = files.iter().filter(|part| is_small(part)).count();
    let merge_small = small >= if all { 2 } else { SMALL_MIN };
    // Worn files first: a small one in front could leave no room for them.
    let mut candidates: Vec<&FilePart> = files.iter().filter(|part| is_worn(part)).collect();
    let worn = candidates.len();
    if merge_small {
        candidates.extend(files.iter().filter(|part| is_small(part) && !is_worn(part)));
    }
    candidates[worn..].sort_by_key(|part| part.entry.facts.bytes);
    let (mut rows, mut bytes) = (0, 0);
    let mut chosen: Vec<FilePart> = Vec::new();
    for part in candidates {
        rows += part.live_rows();
        bytes += part.entry.facts.bytes;
        if !chosen.is_empty() && (rows > file_rows || bytes > BYTES_MAX) {
            break;
        }
        chosen.push(part.clone());
    }
    // One file without deleted rows would be rewritten as it is, for ever.
    if chosen.len() == 1 && chosen.iter().all(|part| dead(part) == 0) { Vec::new() } else { chosen }
}

/// The live rows of a file.
///
/// # Errors
/// It cannot be read.
pub(super) fn file_rows(
    part: &FilePart,
    relation: &Relation,
    sources: &mut Vec<Source>,
) -> Result<()> {
    let facts = &part.entry.facts;
    let mut reader = ColumnReader::new(&part.entry, relation.live_columns().collect(), None)?;
    let mut first = 0_u32;
    while let Some((columns, rows)) = reader.next()? {
        let columns_of = arrays::live_numbers(relation);
        let batch = MemoryBatch { start: first, columns: columns_of, arrays: columns, rows };
        let mask = batch.live_mask(part.deleted.as_deref());
        let arrays = filter_all(&batch.arrays, mask.as_ref())?;
        let end = first + u32::try_from(rows).unwrap_or(0);
        let dead = part.deleted.as_deref();
        let live: Vec<u32> =
            (first..end).filter(|row| !dead.is_some_and(|dead| dead.contains(*row))).collect();
        let rows = MemoryBatch { start: 0, columns: batch.columns, arrays, rows: live.len() };
        let part_rows = u32::try_from(facts.rows).unwrap_or(u32::MAX);
        sources.push(Source { part: facts.part, part_rows, live, rows });
        first = end;
    }
    Ok(())
}
