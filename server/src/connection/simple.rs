//! The simple protocol: one string, any number of statements, one transaction.

use std::time::Instant;

use clientele_engine::{Outcome, Statement};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::EmptyQueryResponse;

use super::Connection;
use super::rows::Cursor;
use crate::encode::{Formats, row_description};
use crate::error::Failure;

impl Connection {
    /// Query.
    pub(super) async fn query(&mut self, sql: &str) -> Result<(), Failure> {
        // As in PostgreSQL, a simple query ends the unnamed statement and portal.
        self.session.forget_named("");
        self.portals.remove("");
        let statements = self.link.run(self.session.parse(sql)).await??;
        let count = statements.len();
        if count == 0 {
            self.link.run(self.session.sync()).await??;
            self.empty_query()?;
        }
        self.session.in_implicit_block(count > 1);
        let done = self.query_statements(statements).await;
        self.session.in_implicit_block(false);
        done?;
        self.ready().await
    }

    async fn query_statements(&mut self, statements: Vec<Statement>) -> Result<(), Failure> {
        let count = statements.len();
        for (index, statement) in statements.into_iter().enumerate() {
            self.query_statement(statement, index + 1 == count).await?;
        }
        Ok(())
    }

    pub(super) fn empty_query(&mut self) -> Result<(), Failure> {
        self.tell()?;
        let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
        Ok(self.link.send(&empty)?)
    }

    async fn query_statement(&mut self, statement: Statement, last: bool) -> Result<(), Failure> {
        let began = Instant::now();
        self.lend(&statement).await?;
        let prepared = self.link.run(self.session.prepare(statement, &[])).await??;
        let outcome = self.link.run(self.session.execute(&prepared, Vec::new())).await??;
        self.tell()?;
        let tag = match outcome {
            Outcome::Empty => None,
            Outcome::Done(tag) => Some(tag),
            Outcome::CopyIn(copy) => Some(self.copy_in(copy).await?),
            Outcome::CopyOut { format, column_count, stream, rows } => {
                Some(self.copy_out(format, column_count, stream, &rows).await?)
            }
            Outcome::Rows(rows) => {
                let formats = Formats::default();
                self.link.send(&row_description(&rows.columns, &formats))?;
                let mut cursor = Cursor::new(rows, formats, self.session.output_style());
                let sent = cursor.send(&mut self.link, usize::MAX).await?;
                self.server.metrics.rows_sent.inc_by(sent as u64);
                Some(cursor.tag(sent))
            }
        };
        if last {
            // Before the answer: a commit that fails is this statement's error, and a commit that
            // was acknowledged is durable.
            self.link.run(self.session.sync()).await??;
        }
        match tag {
            Some(tag) => self.complete(tag, began),
            None => self.empty_query(),
        }
    }
}
