//! Rows on their way to a client: a stream of batches, and where in it the client stands.

use clientele_engine::api::{Rows, RowsTag};
use clientele_udfs::output::Style;
use datafusion::arrow::array::RecordBatch;
use futures::StreamExt;

use super::link::Link;
use crate::encode::{BatchWriter, Formats};
use crate::error::Failure;

/// A result that is being read. Dropping it stops the engine's work for it.
pub struct Cursor {
    rows: Rows,
    formats: Formats,
    style: Style,
    /// The batch that is being written.
    batch: Option<(RecordBatch, BatchWriter)>,
    is_done: bool,
}

impl Cursor {
    /// Stands before the first row.
    pub fn new(rows: Rows, formats: Formats, style: Style) -> Self {
        Self { rows, formats, style, batch: None, is_done: false }
    }

    /// The rows that have not been sent.
    pub fn into_rows(self) -> Rows {
        let rest = self.batch.map(|(batch, writer)| Ok(writer.rest(&batch)));
        let stream = futures::stream::iter(rest).chain(self.rows.stream);
        Rows { stream: Box::pin(stream), ..self.rows }
    }

    /// Whether the last row has been sent.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The command tag after `sent` rows.
    pub fn tag(&self, sent: usize) -> String {
        match &self.rows.tag {
            RowsTag::Counted(verb) => format!("{verb} {sent}"),
            RowsTag::Fixed(tag) => tag.clone(),
        }
    }

    /// Sends at most `limit` rows in pieces, as fast as the client takes them; returns how many.
    ///
    /// # Errors
    /// What the statement ends with, or the connection's end.
    pub async fn send(&mut self, link: &mut Link, limit: usize) -> Result<usize, Failure> {
        let mut sent = 0;
        while sent < limit && !self.is_done {
            let Some((_, batch)) = &mut self.batch else {
                self.next_batch(link).await?;
                continue;
            };
            sent += batch.write(limit - sent, link.room(), &mut link.output.buffer)?;
            if batch.is_done() {
                self.batch = None;
            }
            link.flush_full().await?;
        }
        Ok(sent)
    }

    async fn next_batch(&mut self, link: &mut Link) -> Result<(), Failure> {
        match link.run(self.rows.stream.next()).await? {
            None => self.is_done = true,
            Some(batch) => {
                let batch = batch?;
                let writer =
                    BatchWriter::new(&batch, &self.rows.columns, &self.formats, &self.style)?;
                self.batch = (!writer.is_done()).then_some((batch, writer));
            }
        }
        Ok(())
    }
}
