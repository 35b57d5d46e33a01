//! Portals of the protocol and cursors of SQL are the same things (manual: protocol-flow, sql-fetch):
//! `FETCH`, `MOVE` and `CLOSE` reach portals, Describe and Execute reach cursors.

use std::time::Instant;

use clientele_engine::{Outcome, Result, Statement};

use super::Connection;
use super::portal::State;
use super::rows::Cursor;
use crate::encode::Formats;
use crate::error::Failure;

impl Connection {
    /// Lends the portal that a statement names to the engine, which moves cursors.
    pub(super) async fn lend(&mut self, statement: &Statement) -> Result<(), Failure> {
        let Some(name) = statement.cursor() else { return Ok(()) };
        let Some(portal) = self.portals.get_mut(name) else { return Ok(()) };
        match std::mem::replace(&mut portal.state, State::Lent) {
            State::Bound(parameters) if portal.prepared.columns().is_some() => {
                let work = self.session.execute(&portal.prepared, parameters);
                if let Outcome::Rows(rows) = self.link.run(work).await?? {
                    self.session.adopt(name, rows);
                }
            }
            State::Suspended(cursor) => self.session.adopt(name, cursor.into_rows()),
            other => portal.state = other,
        }
        Ok(())
    }

    /// Sends the next rows of a cursor; whether there may be more.
    pub(super) async fn send_lent(
        &mut self,
        name: &str,
        formats: Formats,
        limit: usize,
        began: Instant,
    ) -> Result<bool, Failure> {
        let rows = self.link.run(self.session.fetch_rows(name, limit)).await??;
        let mut cursor = Cursor::new(rows, formats, self.session.output_style());
        let sent = cursor.send(&mut self.link, usize::MAX).await?;
        self.server.metrics.rows_sent.inc_by(sent as u64);
        if sent == limit {
            self.suspended()?;
            return Ok(true);
        }
        self.complete(cursor.tag(sent), began)?;
        Ok(false)
    }
}
