//! `DECLARE`, `FETCH`, `MOVE`, `CLOSE` (manual: sql-declare, sql-fetch).
//!
//! A cursor reads its query as far as it is asked to and forgets what it has given. One that may
//! scroll, and one that outlives its transaction, keeps its rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::pg_catalog::CursorFacts;
use datafusion::arrow::array::{RecordBatch, UInt64Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use futures::StreamExt;

use super::{Prepared, Session};
use crate::api::{BatchStream, Column, Outcome, Rows, RowsTag};
use crate::error::{Error, Result};
use crate::sql::{Statement, Step};

/// An open cursor.
pub(crate) struct Cursor {
    pub(crate) columns: Vec<Column>,
    stream: Option<BatchStream>,
    /// Rows that were read: all of them when it scrolls, else those not fetched yet.
    rows: Vec<RecordBatch>,
    /// How many rows were read and forgotten.
    forgotten: u64,
    /// The row that it stands on, from 1; 0: before the first, one more than there are: behind.
    position: u64,
    scrolls: bool,
    hold: bool,
    /// Made by a transaction that has not committed yet.
    new: bool,
    /// Closed columns that its rows show as they are.
    reads: BTreeSet<Arc<str>>,
    /// What `pg_cursors` shows of it; `None`: a portal of the protocol.
    declared: Option<CursorFacts>,
}

/// What `DECLARE` says of a cursor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kind {
    /// `SCROLL`.
    pub scrolls: bool,
    /// `WITH HOLD`.
    pub hold: bool,
}

impl Session {
    /// `DECLARE`.
    pub(crate) async fn declare(
        &mut self,
        name: &str,
        kind: Kind,
        (query, text): (&Statement, &str),
    ) -> Result<Outcome> {
        if !kind.hold && !self.in_block() {
            return Err(Error::new(
                "25P01",
                "DECLARE CURSOR can only be used in transaction blocks",
            ));
        }
        if self.cursors.contains_key(name) {
            return Err(Error::new("42P03", format!("cursor \"{name}\" already exists")));
        }
        let prepared: Prepared = Box::pin(self.prepare(query.clone(), &[])).await?;
        let Outcome::Rows(rows) = self.run_query(&prepared, Vec::new()).await? else {
            return Err(Error::internal("a cursor's query without rows"));
        };
        let reads = self.shared.noted.lock().reads.clone();
        let declared = Some(CursorFacts {
            name: name.to_owned(),
            statement: text.to_owned(),
            holdable: kind.hold,
            binary: false,
            scrollable: kind.scrolls,
            created_at: Utc::now().timestamp_micros(),
        });
        let cursor = Cursor { reads, declared, ..Cursor::new(rows, kind) };
        self.cursors.insert(name.to_owned(), cursor);
        self.show_cursors();
        Ok(Outcome::Done("DECLARE CURSOR".to_owned()))
    }

    /// `FETCH` and `MOVE`.
    pub(crate) async fn fetch(&mut self, name: &str, step: Step, moves: bool) -> Result<Outcome> {
        let cursor = self.cursors.get_mut(name).ok_or_else(|| no_cursor(name))?;
        let batches = cursor.step(step).await?;
        if moves {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            return Ok(Outcome::Done(format!("MOVE {rows}")));
        }
        self.shared.noted.lock().reads.extend(cursor.reads.iter().cloned());
        let stream = futures::stream::iter(batches.into_iter().map(Ok));
        Ok(Outcome::Rows(Rows {
            columns: cursor.columns.clone(),
            stream: Box::pin(stream),
            tag: RowsTag::Counted("FETCH"),
        }))
    }

    /// Takes in the rows of a portal as a cursor that ends with the transaction.
    pub fn adopt(&mut self, name: &str, rows: Rows) {
        self.cursors.insert(name.to_owned(), Cursor::new(rows, Kind::default()));
    }

    /// The next rows of a cursor, at most `limit`.
    ///
    /// # Errors
    /// 34000 when there is no such cursor; what its query ends with.
    pub async fn fetch_rows(&mut self, name: &str, limit: usize) -> Result<Rows> {
        let step = match limit {
            usize::MAX => Step::ForwardAll,
            limit => Step::Forward(i64::try_from(limit).unwrap_or(i64::MAX)),
        };
        match self.fetch(name, step, false).await? {
            Outcome::Rows(rows) => Ok(Rows { tag: RowsTag::Counted("SELECT"), ..rows }),
            _ => Err(Error::internal("a cursor without rows")),
        }
    }

    /// Columns of a cursor; `None` when there is no such cursor.
    pub fn cursor_columns(&self, name: &str) -> Option<&[Column]> {
        self.cursors.get(name).map(|cursor| cursor.columns.as_slice())
    }

    /// `CLOSE`.
    pub(crate) fn close(&mut self, name: Option<&str>) -> Result<Outcome> {
        match name {
            None => {
                self.close_cursors();
                Ok(Outcome::Done("CLOSE CURSOR ALL".to_owned()))
            }
            Some(name) if self.cursors.contains_key(name) => {
                self.close_cursor(name);
                Ok(Outcome::Done("CLOSE CURSOR".to_owned()))
            }
            Some(name) => Err(no_cursor(name)),
        }
    }

    /// Closes all cursors.
    pub(crate) fn close_cursors(&mut self) {
        self.cursors.clear();
        self.show_cursors();
    }

    /// Shows `pg_cursors` those that there are.
    fn show_cursors(&self) {
        let mut declared: Vec<CursorFacts> =
            self.cursors.values().filter_map(|cursor| cursor.declared.clone()).collect();
        declared.sort_by(|one, other| one.name.cmp(&other.name));
        *self.shared.cursors.lock() = declared;
    }

    /// Closes a cursor if there is one of that name.
    pub fn close_cursor(&mut self, name: &str) {
        self.cursors.remove(name);
        self.show_cursors();
    }

    /// Reads to their end the cursors that outlive the transaction.
    pub(super) async fn hold_cursors(&mut self) -> Result<()> {
        for cursor in self.cursors.values_mut().filter(|cursor| cursor.hold && cursor.new) {
            cursor.read_to(u64::MAX).await?;
        }
        Ok(())
    }

    /// Closes the cursors that end with the transaction.
    pub(super) fn end_cursors(&mut self, committed: bool) {
        self.cursors.retain(|_, cursor| cursor.hold && (committed || !cursor.new));
        self.cursors.values_mut().for_each(|cursor| cursor.new = false);
        if !self.shared.cursors.lock().is_empty() {
            self.show_cursors();
        }
    }
}

pub(crate) fn no_cursor(name: &str) -> Error {
    Error::new("34000", format!("cursor \"{name}\" does not exist"))
}

impl Cursor {
    fn new(rows: Rows, kind: Kind) -> Self {
        Self {
            columns: rows.columns,
            stream: Some(rows.stream),
            rows: Vec::new(),
            forgotten: 0,
            position: 0,
            scrolls: kind.scrolls,
            hold: kind.hold,
            new: true,
            reads: BTreeSet::new(),
            declared: None,
        }
    }

    /// How many rows were read so far.
    fn read(&self) -> u64 {
        self.forgotten + self.rows.iter().map(|batch| batch.num_rows() as u64).sum::<u64>()
    }

    /// Reads until row `last` is there, or the end. Returns the number of rows known.
    async fn read_to(&mut self, last: u64) -> Result<u64> {
        let mut read = self.read();
        while read < last {
            let Some(stream) = self.stream.as_mut() else { break };
            match stream.next().await {
                Some(batch) => {
                    let batch = batch?;
                    read += batch.num_rows() as u64;
                    self.rows.push(batch);
                }
                None => self.stream = None,
            }
        }
        Ok(read)
    }

    /// Moves, and gives the rows on the way; for a place, the row there.
    async fn step(&mut self, step: Step) -> Result<Vec<RecordBatch>> {
        match step {
            Step::ForwardAll => self.forward(u64::MAX).await,
            Step::BackwardAll => self.backward(u64::MAX).await,
            Step::Forward(0) => self.place(self.position).await,
            Step::Forward(rows) if rows > 0 => self.forward(rows.unsigned_abs()).await,
            Step::Forward(rows) => self.backward(rows.unsigned_abs()).await,
            Step::Absolute(row) if row >= 0 => self.place(row.unsigned_abs()).await,
            Step::Absolute(from_end) => {
                let rows = self.read_to(u64::MAX).await?;
                self.place((rows + 1).saturating_sub(from_end.unsigned_abs())).await
            }
            Step::Relative(rows) => self.place(self.position.saturating_add_signed(rows)).await,
        }
    }

    async fn forward(&mut self, rows: u64) -> Result<Vec<RecordBatch>> {
        let first = self.position + 1;
        let last = self.position.saturating_add(rows);
        let known = self.read_to(last).await?;
        self.position = if known < last { known + 1 } else { last };
        let taken = self.slice(first, last.min(known));
        self.forget();
        Ok(taken)
    }

    async fn backward(&mut self, rows: u64) -> Result<Vec<RecordBatch>> {
        self.may_scroll()?;
        let last = self.position.saturating_sub(1);
        let first = self.position.saturating_sub(rows);
        self.position = first;
        let batches = self.slice(first.max(1), last);
        let Some(batch) = batches.first() else { return Ok(batches) };
        let all = concat_batches(&batch.schema(), &batches).map_err(Error::internal)?;
        let order = UInt64Array::from_iter_values((0..all.num_rows() as u64).rev());
        Ok(vec![take_record_batch(&all, &order).map_err(Error::internal)?])
    }

    /// Stands on a row and gives it.
    async fn place(&mut self, row: u64) -> Result<Vec<RecordBatch>> {
        if row <= self.position {
            self.may_scroll()?;
        }
        let known = self.read_to(row).await?;
        self.position = row.min(known + 1);
        let taken = self.slice(row.max(1), row.min(known));
        self.forget();
        Ok(taken)
    }

    fn may_scroll(&self) -> Result<()> {
        // A cursor that was held has its rows.
        if self.scrolls || self.hold && !self.new {
            return Ok(());
        }
        Err(Error::new("55000", "cursor can only scan forward")
            .with_hint("Declare it with SCROLL option to enable backward scan."))
    }

    /// Rows `first` to `last`, both from 1.
    fn slice(&self, first: u64, last: u64) -> Vec<RecordBatch> {
        let mut before = self.forgotten;
        let mut slices = Vec::new();
        for batch in &self.rows {
            let rows = batch.num_rows() as u64;
            let from = first.max(before + 1);
            let to = last.min(before + rows);
            if from <= to {
                slices.push(batch.slice((from - before - 1) as usize, (to - from + 1) as usize));
            }
            before += rows;
        }
        slices
    }

    /// Lets go of the rows that cannot be asked for again.
    fn forget(&mut self) {
        if self.scrolls || self.hold {
            return;
        }
        let mut keep = 0;
        for batch in &self.rows {
            let rows = batch.num_rows() as u64;
            if self.forgotten + rows > self.position {
                break;
            }
            self.forgotten += rows;
            keep += 1;
        }
        self.rows.drain(..keep);
    }
}

/// Keeps a cursor's shape for FETCH before it runs.
pub(crate) fn columns(session: &Session, name: &str) -> Result<Vec<Column>> {
    let cursor = session.cursors.get(name).ok_or_else(|| no_cursor(name))?;
    Ok(Vec::clone(&cursor.columns))
}
