//! Bulk inserts: many rows go straight to files, and the log names the files only.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::RecordBatch;
use tokio::task::JoinHandle;

use super::arrays;
use super::erasure::{Gate, Held};
use super::part::{FilePart, MemoryBatch, RowAddress};
use super::prepare::join_rows;
use super::shared::Shared;
use super::stitching::{self, Gathered, Mark};
use super::tally::Tally;
use super::transaction::{NewFile, Transaction};
use super::writer::{self, Written};
use crate::definition::{Oid, Relation};
use crate::error::{Error, Result};
use crate::features::oids;

/// Bytes of rows from which on a file is written, whatever their number.
const FILE_BYTES: usize = 192 << 20;

/// Files that are written at once.
const AT_ONCE: usize = 2;

/// A file that is being written; `None`: there are no rows for it.
type Writing = JoinHandle<Result<Option<Written>>>;

/// Files of several tables that are being written, the first one first.
type Beside = VecDeque<(Arc<Relation>, Writing)>;

/// Rows that have their nodes, the evidence so far, and what was held back of them.
type Stitched = (Vec<MemoryBatch>, Gathered, Held);

/// Adds rows to a relation in a transaction; made by [`Transaction::bulk_writer`].
///
/// Up to [`StoreOptions::bulk_rows`](super::StoreOptions::bulk_rows) rows end up in memory like
/// those of [`Transaction::insert`]. With more, files are written beside the stream. Dropped
/// before [`BulkWriter::finish`], rows that were written already stay in the transaction: roll it
/// back to a savepoint.
#[derive(Debug)]
pub struct BulkWriter<'a> {
    transaction: &'a mut Transaction,
    relation: Arc<Relation>,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: usize,
    rows: u64,
    /// What the rows say about who is who. It goes with them from one task to the next.
    gathered: Gathered,
    /// How much of that is on its way to files of its own.
    gathered_written: Mark,
    /// Those files.
    beside: Beside,
    /// Rows that get their nodes, and those before them that are being written, while more rows come
    /// in.
    stitching: Option<JoinHandle<Result<Stitched>>>,
    writing: Option<Writing>,
    /// Rows of the next file. Files grow: the first one is begun early, so that writing overlaps
    /// with reading; later ones are as large as files may be.
    file_rows: usize,
    to_files: bool,
}

impl Transaction {
    /// Begins a bulk insert into a relation.
    ///
    /// # Errors
    /// The relation stores no rows.
    pub fn bulk_writer(&mut self, relation: Oid) -> Result<BulkWriter<'_>> {
        let relation = self.stored(relation)?;
        let options = &self.store.shared.options;
        let file_rows = options.bulk_rows.min(options.file_rows);
        Ok(BulkWriter {
            file_rows,
            transaction: self,
            relation,
            waiting: Vec::new(),
            waiting_rows: 0,
            waiting_bytes: 0,
            rows: 0,
            gathered: Gathered::default(),
            gathered_written: Mark::default(),
            beside: Beside::default(),
            stitching: None,
            writing: None,
            to_files: false,
        })
    }

    /// Inserts all batches of a stream; returns the number of rows.
    ///
    /// # Errors
    /// What the stream says, and as [`BulkWriter::write`].
    pub async fn insert_bulk<S, E>(&mut self, relation: Oid, batches: S) -> Result<u64, E>
    where
        S: futures::Stream<Item = Result<RecordBatch, E>> + Unpin,
        E: From<Error>,
    {
        let mut batches = batches;
        let mut writer = self.bulk_writer(relation)?;
        while let Some(batch) = futures::StreamExt::next(&mut batches).await {
            writer.write(batch?).await?;
        }
        Ok(writer.finish().await?)
    }

    /// Inserts rows of tables that say nobody's identifiers: those of one table beside those of the
    /// next, where they are many.
    pub(super) async fn insert_beside(&mut self, tables: [(Oid, RecordBatch); 2]) -> Result<()> {
        let mut files = Beside::new();
        self.begin_beside(tables, &mut files).await?;
        while !files.is_empty() {
            self.add_first(&mut files).await?;
        }
        Ok(())
    }

    /// The same; files are still being written afterwards.
    async fn begin_beside(
        &mut self,
        tables: [(Oid, RecordBatch); 2],
        files: &mut Beside,
    ) -> Result<()> {
        let options = &self.store.shared.options;
        let (many, most) = (options.bulk_rows, options.file_rows);
        for (relation, rows) in tables.into_iter().filter(|(_, rows)| rows.num_rows() > 0) {
            if rows.num_rows() < many {
                self.insert_counted(relation, &rows)?;
                continue;
            }
            let relation = self.stored(relation)?;
            for start in (0..rows.num_rows()).step_by(most) {
                let piece = rows.slice(start, most.min(rows.num_rows() - start));
                let own = vec![rows_of(&relation, &piece)?];
                if files.len() == AT_ONCE {
                    self.add_first(files).await?;
                }
                let shared = Arc::clone(&self.store.shared);
                let writing = writing(shared, Arc::clone(&relation), own);
                files.push_back((Arc::clone(&relation), writing));
            }
            let inserted = rows.num_rows() as u64;
            self.count(&relation, Tally { inserted, ..Default::default() });
        }
        Ok(())
    }

    async fn add_first(&mut self, files: &mut Beside) -> Result<()> {
        let Some((relation, writing)) = files.pop_front() else { return Ok(()) };
        match writing.await.map_err(|error| Error::Internal(error.to_string()))?? {
            Some(written) => self.add_file(&relation, written),
            None => Ok(()),
        }
    }

    /// Takes a written file in: its rows are the transaction's own from now on.
    fn add_file(&mut self, relation: &Relation, written: Written) -> Result<()> {
        super::keys::ready(relation)?;
        self.ensure_own_keys(relation)?;
        self.check_file_keys(relation, &written)?;
        self.refer(relation.oid, written.referred.clone());
        let first = RowAddress { part: written.entry.facts.part, row: 0 };
        self.store.shared.indexes.preload(first.part, &written.keys);
        let part = FilePart { entry: Arc::clone(&written.entry), deleted: None };
        self.written(relation).add_file(part);
        if let Some(own) = self.keys.get_mut(&relation.oid) {
            own.add(first, &written.keys);
        }
        let file = NewFile { entry: written.entry, keys: written.keys };
        self.changes.tables.entry(relation.oid).or_default().files.push(file);
        Ok(())
    }
}

impl BulkWriter<'_> {
    /// Takes rows: the relation's live columns in order.
    ///
    /// # Errors
    /// [`Error::UniqueViolation`], also for rows that were given before; the disk is full. The
    /// statement has failed then.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.waiting_rows += batch.num_rows();
        self.waiting_bytes += batch.columns().iter().map(arrays::byte_size).sum::<usize>();
        self.waiting.push(batch);
        let many = self.waiting_rows >= self.file_rows || self.waiting_bytes >= FILE_BYTES;
        if many && !self.relation.temporary {
            self.to_files = true;
            self.write_file().await?;
            let largest = self.transaction.store.shared.options.file_rows;
            self.file_rows = self.file_rows.saturating_mul(2).min(largest);
        }
        Ok(())
    }

    /// Ends the insert; returns the number of rows.
    ///
    /// # Errors
    /// As [`BulkWriter::write`].
    pub async fn finish(mut self) -> Result<u64> {
        let many =
            self.to_files || self.waiting_rows >= self.transaction.store.shared.options.bulk_rows;
        if many && !self.relation.temporary {
            self.write_file().await?;
            self.write_stitched().await?;
            self.take_written().await?;
            self.write_gathered(0).await?;
            while !self.beside.is_empty() {
                self.transaction.add_first(&mut self.beside).await?;
            }
            self.transaction.write_gathered().await?;
            self.transaction.gathered.absorb(self.gathered);
            self.transaction.written = self.transaction.gathered.mark();
            let inserted = self.rows;
            self.transaction.count(&self.relation, Tally { inserted, ..Default::default() });
        } else {
            self.rows = 0;
            for batch in std::mem::take(&mut self.waiting) {
                self.rows += self.transaction.insert_counted(self.relation.oid, &batch)?;
            }
        }
        Ok(self.rows)
    }

    /// Sends what waits on its way to a file, beside the stream.
    async fn write_file(&mut self) -> Result<()> {
        self.write_stitched().await?;
        let batches = std::mem::take(&mut self.waiting);
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        let relation = Arc::clone(&self.relation);
        let gate = Gate::of(self.transaction, &relation);
        let mut gathered = std::mem::take(&mut self.gathered);
        self.stitching = Some(tokio::task::spawn_blocking(move || {
            let mut held = Held::default();
            let mut rows = Vec::with_capacity(batches.len());
            for batch in batches {
                let mut own = rows_of(&relation, &batch)?;
                if let Some(stay) = gate.pass(&mut own.arrays, (&mut gathered, &mut held))? {
                    own.rows = stay.true_count();
                }
                rows.push(own);
            }
            Ok((rows, gathered, held))
        }));
        Ok(())
    }

    /// Has rows written that got their nodes; what was being written is taken in first.
    async fn write_stitched(&mut self) -> Result<()> {
        let Some(stitching) = self.stitching.take() else { return Ok(()) };
        let stitched = stitching.await.map_err(|error| Error::Internal(error.to_string()))??;
        let (rows, gathered, held) = stitched;
        self.gathered = gathered;
        self.write_gathered(self.transaction.store.shared.options.bulk_rows).await?;
        let count: u64 = held.rows.values().sum();
        self.rows = self.rows.saturating_sub(count);
        self.transaction.changes.held.absorb(held);
        self.take_written().await?;
        let shared = Arc::clone(&self.transaction.store.shared);
        self.writing = Some(writing(shared, Arc::clone(&self.relation), rows));
        Ok(())
    }

    /// Has what is new about who is who written, where it is more than a few nodes.
    async fn write_gathered(&mut self, few: usize) -> Result<()> {
        let mark = self.gathered.mark();
        if mark.nodes() > self.gathered_written.nodes() + few {
            let now = Utc::now().timestamp_micros();
            let [nodes, records] = stitching::rows(&self.gathered, self.gathered_written, now)?;
            let tables = [(oids::NODES, nodes), (oids::RECORDS, records)];
            self.transaction.begin_beside(tables, &mut self.beside).await?;
            self.gathered.let_go(self.gathered_written);
            self.gathered_written = mark;
        }
        Ok(())
    }

    async fn take_written(&mut self) -> Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let written = writing.await.map_err(|error| Error::Internal(error.to_string()))??;
        match written {
            Some(written) => self.transaction.add_file(&self.relation, written),
            None => Ok(()),
        }
    }
}

/// Writes rows to a file on a thread of its own.
fn writing(shared: Arc<Shared>, relation: Arc<Relation>, rows: Vec<MemoryBatch>) -> Writing {
    tokio::task::spawn_blocking(move || {
        let Some(rows) = join_rows(&relation, &rows.iter().collect::<Vec<_>>())? else {
            return Ok(None);
        };
        let sorted = match writer::file_order(&relation, &rows)? {
            Some(order) => writer::reorder(&rows, &order)?,
            None => rows,
        };
        Ok(Some(writer::write_file(&shared, &relation, &sorted)?))
    })
}

fn rows_of(relation: &Relation, batch: &RecordBatch) -> Result<MemoryBatch> {
    let columns = arrays::live_numbers(relation);
    let arrays = arrays::own_arrays(relation, batch.columns())?;
    Ok(MemoryBatch { start: 0, columns, arrays, rows: batch.num_rows() })
}
