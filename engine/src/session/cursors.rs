//! `DECLARE`, `FETCH`, `MOVE`, `CLOSE` (manual: sql-declare). Cursors scan forward.

use std::collections::VecDeque;

use datafusion::arrow::array::RecordBatch;
use futures::StreamExt;

use super::{Prepared, Session};
use crate::api::{BatchStream, Column, Outcome, Rows, RowsTag};
use crate::error::{Error, Result};
use crate::sql::{FetchCount, Statement};

/// An open cursor: the rows read but not fetched, and the rest of the stream.
pub(crate) struct Cursor {
    pub(crate) columns: Vec<Column>,
    stream: Option<BatchStream>,
    waiting: VecDeque<RecordBatch>,
    hold: bool,
    /// Made by a transaction that has not committed yet.
    new: bool,
}

impl Session {
    /// `DECLARE`.
    pub(crate) async fn declare(
        &mut self,
        name: &str,
        hold: bool,
        query: &Statement,
    ) -> Result<Outcome> {
        if !hold && !self.in_block() {
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
        let cursor = Cursor {
            columns: rows.columns,
            stream: Some(rows.stream),
            waiting: VecDeque::new(),
            hold,
            new: true,
        };
        self.cursors.insert(name.to_owned(), cursor);
        Ok(Outcome::Done("DECLARE CURSOR".to_owned()))
    }

    /// `FETCH` and `MOVE`.
    pub(crate) async fn fetch(
        &mut self,
        name: &str,
        count: FetchCount,
        moves: bool,
    ) -> Result<Outcome> {
        let cursor = self.cursors.get_mut(name).ok_or_else(|| no_cursor(name))?;
        let batches = cursor.take(count).await?;
        if moves {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            return Ok(Outcome::Done(format!("MOVE {rows}")));
        }
        let stream = futures::stream::iter(batches.into_iter().map(Ok));
        Ok(Outcome::Rows(Rows {
            columns: cursor.columns.clone(),
            stream: Box::pin(stream),
            tag: RowsTag::Counted("FETCH"),
        }))
    }

    /// Takes in the rows of a portal as a cursor that ends with the transaction.
    pub fn adopt(&mut self, name: &str, rows: Rows) {
        let cursor = Cursor {
            columns: rows.columns,
            stream: Some(rows.stream),
            waiting: VecDeque::new(),
            hold: false,
            new: true,
        };
        self.cursors.insert(name.to_owned(), cursor);
    }

    /// The next rows of a cursor, at most `limit`.
    ///
    /// # Errors
    /// 34000 when there is no such cursor; what its query ends with.
    pub async fn fetch_rows(&mut self, name: &str, limit: usize) -> Result<Rows> {
        let count = match limit {
            usize::MAX => FetchCount::All,
            limit => FetchCount::Forward(limit as u64),
        };
        match self.fetch(name, count, false).await? {
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
                self.cursors.clear();
                Ok(Outcome::Done("CLOSE CURSOR ALL".to_owned()))
            }
            Some(name) => match self.cursors.remove(name) {
                Some(_) => Ok(Outcome::Done("CLOSE CURSOR".to_owned())),
                None => Err(no_cursor(name)),
            },
        }
    }

    /// Closes a cursor if there is one of that name.
    pub fn close_cursor(&mut self, name: &str) {
        self.cursors.remove(name);
    }

    /// Reads to their end the cursors that outlive the transaction.
    pub(super) async fn hold_cursors(&mut self) -> Result<()> {
        for cursor in self.cursors.values_mut().filter(|cursor| cursor.hold && cursor.new) {
            let rest = cursor.take(FetchCount::All).await?;
            cursor.waiting = rest.into();
            cursor.stream = None;
        }
        Ok(())
    }

    /// Closes the cursors that end with the transaction.
    pub(super) fn end_cursors(&mut self, committed: bool) {
        self.cursors.retain(|_, cursor| cursor.hold && (committed || !cursor.new));
        self.cursors.values_mut().for_each(|cursor| cursor.new = false);
    }
}

pub(crate) fn no_cursor(name: &str) -> Error {
    Error::new("34000", format!("cursor \"{name}\" does not exist"))
}

impl Cursor {
    async fn take(&mut self, count: FetchCount) -> Result<Vec<RecordBatch>> {
        let mut wanted = match count {
            FetchCount::All => usize::MAX,
            FetchCount::Forward(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
        };
        let mut taken = Vec::new();
        while wanted > 0 {
            let Some(batch) = self.next().await? else { break };
            if batch.num_rows() > wanted {
                self.waiting.push_front(batch.slice(wanted, batch.num_rows() - wanted));
                taken.push(batch.slice(0, wanted));
                break;
            }
            wanted -= batch.num_rows();
            taken.push(batch);
        }
        Ok(taken)
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.waiting.pop_front() {
            return Ok(Some(batch));
        }
        let Some(stream) = self.stream.as_mut() else { return Ok(None) };
        match stream.next().await {
            Some(batch) => batch.map(Some),
            None => {
                self.stream = None;
                Ok(None)
            }
        }
    }
}

/// Keeps a cursor's shape for FETCH before it runs.
pub(crate) fn columns(session: &Session, name: &str) -> Result<Vec<Column>> {
    let cursor = session.cursors.get(name).ok_or_else(|| no_cursor(name))?;
    Ok(Vec::clone(&cursor.columns))
}
