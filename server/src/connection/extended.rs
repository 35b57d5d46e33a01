//! The extended protocol: Parse, Bind, Describe, Execute, Close, Sync.
//!
//! Statements between two Syncs are one transaction; after an error all is ignored up to the next
//! Sync. Portals die with their transaction, named statements live as long as the session.

use std::sync::Arc;
use std::time::Instant;

use clientele_engine::{Error, Outcome, PgType, Result, Session, TransactionStatus};
use clientele_udfs::{binary, input};
use datafusion::common::ScalarValue;
use pgwire::messages::PgWireBackendMessage as Message;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    BindComplete, CloseComplete, ParseComplete, PortalSuspended,
};

use super::Connection;
use super::portal::{Portal, State};
use super::request::{Bind, Format, Target, utf8};
use super::rows::Cursor;
use crate::encode::{Formats, row_description};
use crate::error::{Failure, protocol_violation};

impl Connection {
    /// Parse.
    pub(super) async fn parse(
        &mut self,
        name: String,
        sql: &str,
        types: &[u32],
    ) -> Result<(), Failure> {
        self.session.refuse_taken(&name)?;
        if name.is_empty() {
            self.session.forget_named("");
        }
        let mut statements = self.link.run(self.session.parse(sql)).await??;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Error::new("42601", message).into());
        }
        let Some(statement) = statements.pop() else {
            return Err(Error::internal("a string without a statement").into());
        };
        self.lend(&statement).await?;
        let prepared = self.link.run(self.session.prepare(statement, types)).await??;
        self.session.keep(name, prepared, None)?;
        self.tell()?;
        Ok(self.link.send(&Message::ParseComplete(ParseComplete::new()))?)
    }

    /// Bind.
    pub(super) async fn bind(&mut self, bind: Bind) -> Result<(), Failure> {
        let prepared = self.session.named(&bind.statement)?;
        let taken = self.portals.contains_key(&bind.portal)
            || self.session.cursor_columns(&bind.portal).is_some();
        if !bind.portal.is_empty() && taken {
            let message = format!("portal \"{}\" already exists", bind.portal);
            return Err(Error::new("42P03", message).into());
        }
        self.session.refuse_aborted(&prepared)?;
        let types = prepared.parameters();
        check_counts(&bind, types.len(), prepared.columns().unwrap_or_default().len())?;
        let context = self.session.input_context();
        let formats = Formats(bind.parameter_formats);
        let mut parameters = Vec::with_capacity(types.len());
        for (index, (value, pg_type)) in bind.parameters.iter().zip(types).enumerate() {
            let read = match (formats.of(index), value) {
                // Names of objects are looked up.
                (Format::Text, Some(name)) if Session::is_registered(*pg_type) => {
                    self.link.run(self.session.registered(*pg_type, utf8(name)?)).await?
                }
                (format, value) => read_parameter(*pg_type, format, value.as_deref(), &context),
            };
            let is_text = matches!(formats.of(index), Format::Text);
            let named = |error| in_parameter(error, &bind.portal, (index + 1, is_text));
            parameters.push(read.map_err(named)?);
        }
        let formats = Formats(bind.result_formats);
        let portal = Portal { prepared, formats, state: State::Bound(parameters) };
        self.portals.insert(bind.portal, portal);
        Ok(self.link.send(&Message::BindComplete(BindComplete::new()))?)
    }

    /// Describe.
    pub(super) fn describe(&mut self, target: &Target) -> Result<(), Failure> {
        let (prepared, formats) = match target {
            Target::Statement(name) => (self.session.named(name)?, Formats::default()),
            Target::Portal(name) => match self.portals.get(name) {
                Some(portal) => (Arc::clone(&portal.prepared), portal.formats.clone()),
                None => {
                    let columns = self.session.cursor_columns(name);
                    let columns = columns.ok_or_else(|| no_portal(name))?;
                    return Ok(self.link.send(&row_description(columns, &Formats::default()))?);
                }
            },
        };
        if matches!(target, Target::Statement(_)) {
            let types = prepared.parameters().iter().map(|pg_type| pg_type.oid).collect();
            self.link.send(&Message::ParameterDescription(ParameterDescription::new(types)))?;
        }
        let message = match prepared.columns() {
            Some(columns) => row_description(columns, &formats),
            None => Message::NoData(NoData::new()),
        };
        Ok(self.link.send(&message)?)
    }

    /// Execute.
    pub(super) async fn execute(&mut self, name: String, row_limit: usize) -> Result<(), Failure> {
        // Taken out for as long as it runs: an error leaves no half-run portal behind.
        let Some(mut portal) = self.portals.remove(&name) else {
            self.session.cursor_columns(&name).ok_or_else(|| no_portal(&name))?;
            let limit = if row_limit == 0 { usize::MAX } else { row_limit };
            self.send_lent(&name, Formats::default(), limit, Instant::now()).await?;
            return self.link.flush_full().await;
        };
        let before = self.session.status();
        self.run_portal(&name, &mut portal, row_limit).await?;
        let ended =
            before != TransactionStatus::Idle && self.session.status() == TransactionStatus::Idle;
        match ended {
            true => self.portals.clear(),
            false => drop(self.portals.insert(name, portal)),
        }
        self.link.flush_full().await
    }

    async fn run_portal(
        &mut self,
        name: &str,
        portal: &mut Portal,
        row_limit: usize,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let limit = if row_limit == 0 { usize::MAX } else { row_limit };
        match std::mem::replace(&mut portal.state, State::Finished) {
            State::Bound(parameters) => {
                self.lend(portal.prepared.statement()).await?;
                let work = self.session.execute(&portal.prepared, parameters);
                let outcome = self.link.run(work).await??;
                self.tell()?;
                self.answer_outcome(portal, outcome, limit, began).await
            }
            State::Suspended(cursor) => {
                if self.session.status() == TransactionStatus::Failed {
                    return Err(aborted().into());
                }
                self.send_rows(portal, cursor, limit, began).await
            }
            State::Lent => {
                let more = self.send_lent(name, portal.formats.clone(), limit, began).await?;
                portal.state = match more {
                    true => State::Lent,
                    false => State::Exhausted("SELECT 0".to_owned()),
                };
                Ok(())
            }
            State::Exhausted(tag) => {
                portal.state = State::Exhausted(tag.clone());
                self.complete(tag, began)
            }
            State::Finished => {
                Err(Error::new("55000", format!("portal \"{name}\" cannot be run")).into())
            }
        }
    }

    async fn answer_outcome(
        &mut self,
        portal: &mut Portal,
        outcome: Outcome,
        limit: usize,
        began: Instant,
    ) -> Result<(), Failure> {
        let tag = match outcome {
            Outcome::Empty => return self.empty_query(),
            Outcome::Done(tag) => tag,
            Outcome::CopyIn(copy) => self.copy_in(copy).await?,
            Outcome::CopyOut { format, column_count, stream, rows } => {
                self.copy_out(format, column_count, stream, &rows).await?
            }
            Outcome::Rows(rows) => {
                let style = self.session.output_style();
                let cursor = Cursor::new(rows, portal.formats.clone(), style);
                return self.send_rows(portal, Box::new(cursor), limit, began).await;
            }
        };
        self.complete(tag, began)
    }

    async fn send_rows(
        &mut self,
        portal: &mut Portal,
        mut cursor: Box<Cursor>,
        limit: usize,
        began: Instant,
    ) -> Result<(), Failure> {
        let sent = cursor.send(&mut self.link, limit).await?;
        self.server.metrics.rows_sent.inc_by(sent as u64);
        // As in PostgreSQL: at the limit the portal is suspended even where no row is left.
        if !cursor.is_done() {
            portal.state = State::Suspended(cursor);
            return self.suspended();
        }
        portal.state = State::Exhausted(cursor.tag(0));
        self.complete(cursor.tag(sent), began)
    }

    /// PortalSuspended.
    pub(super) fn suspended(&mut self) -> Result<(), Failure> {
        self.tell()?;
        Ok(self.link.send(&Message::PortalSuspended(PortalSuspended::new()))?)
    }

    /// Close. What does not exist is closed as well.
    pub(super) fn close(&mut self, target: &Target) -> Result<(), Failure> {
        match target {
            Target::Statement(name) => drop(self.session.forget_named(name)),
            Target::Portal(name) => {
                self.portals.remove(name);
                self.session.close_cursor(name);
            }
        }
        Ok(self.link.send(&Message::CloseComplete(CloseComplete::new()))?)
    }

    /// Sync: the end of an implicit transaction.
    pub(super) async fn sync(&mut self) -> Result<(), Failure> {
        // Before the commit: rows that are still being read hold the transaction.
        if self.session.status() == TransactionStatus::Idle {
            self.portals.clear();
        }
        self.link.run(self.session.sync()).await??;
        self.ready().await
    }
}

/// Says which value was refused; what it is, in text, is not repeated.
fn in_parameter(mut error: Error, portal: &str, (number, is_text): (usize, bool)) -> Error {
    if error.sqlstate == "22P03" && error.message == "incorrect binary data format" {
        error.message.push_str(&format!(" in bind parameter {number}"));
    }
    let portal = match portal {
        "" => "unnamed portal".to_owned(),
        name => format!("portal \"{name}\""),
    };
    let value = if is_text { " = '...'" } else { "" };
    error.with_context(format!("{portal} parameter ${number}{value}"))
}

fn check_counts(bind: &Bind, parameter_count: usize, column_count: usize) -> Result<()> {
    let given = bind.parameters.len();
    let formats = bind.parameter_formats.len();
    if formats > 1 && formats != given {
        let message =
            format!("bind message has {formats} parameter formats but {given} parameters");
        return Err(protocol_violation(message));
    }
    if given != parameter_count {
        let name = &bind.statement;
        let message = format!(
            "bind message supplies {given} parameters, but prepared statement \"{name}\" \
             requires {parameter_count}"
        );
        return Err(protocol_violation(message));
    }
    let formats = bind.result_formats.len();
    if formats > 1 && formats != column_count {
        let message = format!(
            "bind message has {formats} result formats but query has {column_count} columns"
        );
        return Err(protocol_violation(message));
    }
    Ok(())
}

fn read_parameter(
    pg_type: PgType,
    format: Format,
    value: Option<&[u8]>,
    context: &input::Context,
) -> Result<ScalarValue> {
    let Some(value) = value else {
        return Ok(ScalarValue::try_new_null(&pg_type.arrow())?);
    };
    match format {
        Format::Text => Ok(input::parse(pg_type, Some(utf8(value)?), context)?),
        Format::Binary => Ok(binary::decode(pg_type, Some(value))?),
    }
}

fn no_portal(name: &str) -> Error {
    Error::new("34000", format!("portal \"{name}\" does not exist"))
}

fn aborted() -> Error {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    Error::new("25P02", message)
}
