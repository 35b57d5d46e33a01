//! Flush: rows in memory become files.

use std::collections::HashMap;
use std::sync::Arc;

use super::arrays;
use super::commit::{GONE, Moves, TableReplacement};
use super::part::{MemoryBatch, MemoryPart, PartId, RowAddress};
use super::prepare::join_rows;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::writer::{self, Written};
use crate::definition::Relation;
use crate::error::Result;
use crate::progress::Progress;

/// Writes the memory parts of all relations of a snapshot to files.
///
/// # Errors
/// The disk is full, or a file cannot be written.
pub(super) fn write_memory(
    shared: &Shared,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<Vec<TableReplacement>> {
    let mut tables = Vec::new();
    let in_memory = || snapshot.tables.iter().filter(|(_, table)| !table.memory.is_empty());
    in_memory().for_each(|(_, table)| progress.expect(table.memory_bytes() as u64));
    for (oid, table) in in_memory() {
        let bytes = table.memory_bytes() as u64;
        let Some(relation) = snapshot.catalog.relation_by_oid(*oid) else { continue };
        let mut sources = Vec::new();
        for part in &table.memory {
            memory_rows(part, relation, &mut sources)?;
        }
        let (files, moves) = write_sorted(shared, relation, &sources)?;
        let removed: Vec<PartId> = table.memory.iter().map(|part| part.id).collect();
        tables.push(TableReplacement { relation: *oid, removed, files, moves });
        progress.advance(bytes);
    }
    Ok(tables)
}

/// Rows of one part that are to be written: live rows, and where they are now.
pub(super) struct Source {
    pub(super) part: PartId,
    /// Rows of the part, deleted ones included.
    pub(super) part_rows: u32,
    /// Row numbers of the live rows in `rows`.
    pub(super) live: Vec<u32>,
    pub(super) rows: MemoryBatch,
}

fn memory_rows(part: &MemoryPart, relation: &Relation, sources: &mut Vec<Source>) -> Result<()> {
    for batch in &part.batches {
        let columns = relation.live_columns().map(|column| arrays::column_of(batch, column));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mask = batch.live_mask(part.deleted.as_deref());
        let arrays = super::part::filter_all(&columns, mask.as_ref())?;
        let end = batch.start + u32::try_from(batch.rows).unwrap_or(0);
        let dead = part.deleted.as_deref();
        let live: Vec<u32> = (batch.start..end)
            .filter(|row| !dead.is_some_and(|dead| dead.contains(*row)))
            .collect();
        let rows = MemoryBatch {
            start: 0,
            columns: arrays::live_numbers(relation),
            arrays,
            rows: live.len(),
        };
        sources.push(Source { part: part.id, part_rows: part.rows, live, rows });
    }
    Ok(())
}

/// Writes rows in the relation's order to files of at most [`StoreOptions::file_rows`] rows.
///
/// [`StoreOptions::file_rows`]: super::StoreOptions::file_rows
///
/// # Errors
/// The disk is full, or a file cannot be written.
pub(super) fn write_sorted(
    shared: &Shared,
    relation: &Relation,
    sources: &[Source],
) -> Result<(Vec<Written>, Moves)> {
    let mut moves: Moves = HashMap::new();
    for source in sources {
        let rows = usize::try_from(source.part_rows).unwrap_or(0);
        moves.entry(source.part).or_insert_with(|| vec![GONE; rows]);
    }
    let batches: Vec<&MemoryBatch> = sources.iter().map(|source| &source.rows).collect();
    let Some(rows) = join_rows(relation, &batches)? else { return Ok((Vec::new(), moves)) };
    let order = writer::file_order(relation, &rows)?;
    let sorted = match &order {
        Some(order) => writer::reorder(&rows, order)?,
        None => rows,
    };
    let per_file = shared.options.file_rows;
    let mut files = Vec::new();
    for start in (0..sorted.rows).step_by(per_file) {
        let count = per_file.min(sorted.rows - start);
        let arrays = sorted.arrays.iter().map(|array| array.slice(start, count)).collect();
        let columns = Arc::clone(&sorted.columns);
        let slice = MemoryBatch { start: 0, columns, arrays, rows: count };
        files.push(writer::write_file(shared, relation, &slice)?);
    }
    let mut positions = writer::positions(order.as_ref(), sorted.rows).into_iter();
    for source in sources {
        let moved = moves.entry(source.part).or_default();
        for (row, position) in source.live.iter().zip(positions.by_ref()) {
            if let (Ok(row), Some(target)) =
                (usize::try_from(*row), target(&files, position, per_file))
                && let Some(slot) = moved.get_mut(row)
            {
                *slot = target.to_i64();
            }
        }
    }
    Ok((files, moves))
}

fn target(files: &[Written], position: u32, per_file: usize) -> Option<RowAddress> {
    let position = usize::try_from(position).ok()?;
    let part = files.get(position / per_file)?.entry.facts.part;
    Some(RowAddress { part, row: u32::try_from(position % per_file).ok()? })
}
