//! A session in this process, for commands that speak SQL to the engine.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clientele_engine::api::CopyIn;
use clientele_engine::{Engine, Error, Notice, Outcome, Session, Startup};
use futures::StreamExt;

use super::infer::Column;
use crate::command::tell;

/// A session of role `admin`.
pub struct Client {
    session: Session,
}

impl Client {
    /// Opens a session.
    ///
    /// # Errors
    /// No such database.
    pub fn connect(engine: &Arc<Engine>, database: &str) -> Result<Self> {
        let parameters = vec![("application_name".to_owned(), "clientele".to_owned())];
        let startup = Startup {
            role: "admin".to_owned(),
            database: database.to_owned(),
            parameters,
            ..Startup::default()
        };
        Ok(Self { session: engine.connect(startup)? })
    }

    /// Columns of a table; `None`: there is no such table.
    ///
    /// # Errors
    /// Whatever else is wrong with its name.
    pub async fn columns(&mut self, table: &str) -> Result<Option<Vec<String>>> {
        let mut statements = self.session.parse(&format!("SELECT * FROM {table}")).await?;
        let Some(statement) = statements.pop().filter(|_| statements.is_empty()) else {
            bail!("\"{table}\" is no name of a table");
        };
        let prepared = self.session.prepare(statement, &[]).await;
        self.session.sync().await?;
        match prepared {
            Ok(prepared) => {
                let columns = prepared.columns().unwrap_or_default().iter();
                Ok(Some(columns.map(|column| column.name.clone()).collect()))
            }
            Err(error) if error.sqlstate == "42P01" => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a table.
    ///
    /// # Errors
    /// What is wrong with its name; no such schema.
    pub async fn create(&mut self, table: &str, columns: &[Column]) -> Result<()> {
        let list: Vec<String> = columns
            .iter()
            .map(|column| format!("{} {}", quoted(&column.name), column.sql_type))
            .collect();
        let sql = format!("CREATE TABLE {table} ({})", list.join(", "));
        self.run(&sql).await
    }

    /// Runs a statement to its end and commits.
    ///
    /// # Errors
    /// What the statement does wrong.
    pub async fn run(&mut self, sql: &str) -> Result<()> {
        if let Outcome::Rows(mut rows) = self.execute(sql).await? {
            while let Some(batch) = rows.stream.next().await {
                batch?;
            }
        }
        Ok(self.session.sync().await?)
    }

    /// Runs statements in one transaction.
    ///
    /// # Errors
    /// What one of them does wrong; none has happened then.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        for statement in self.session.parse(sql).await? {
            let prepared = self.session.prepare(statement, &[]).await?;
            if let Outcome::Rows(mut rows) = self.session.execute(&prepared, Vec::new()).await? {
                while let Some(batch) = rows.stream.next().await {
                    batch?;
                }
            }
        }
        Ok(self.session.sync().await?)
    }

    /// Begins a COPY.
    ///
    /// # Errors
    /// What is wrong with the statement.
    pub async fn copy(&mut self, sql: &str) -> Result<Box<dyn CopyIn>> {
        match self.execute(sql).await? {
            Outcome::CopyIn(copy) => Ok(copy),
            _ => bail!("the statement takes no data"),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<Outcome> {
        let mut statements = self.session.parse(sql).await?;
        let Some(statement) = statements.pop().filter(|_| statements.is_empty()) else {
            bail!("one statement is needed");
        };
        let prepared = self.session.prepare(statement, &[]).await?;
        Ok(self.session.execute(&prepared, Vec::new()).await?)
    }

    /// Ends a COPY, commits, and reports what was left out.
    ///
    /// # Errors
    /// What the data do wrong, with line and reason.
    pub async fn finish(&mut self, copy: Box<dyn CopyIn>) -> Result<String> {
        let tag = copy.finish().await.map_err(|error| explained(&error))?;
        self.session.sync().await.map_err(|error| explained(&error))?;
        for notice in self.session.take_notices() {
            if let Notice::Message(notice) = notice {
                tell(&described(&notice));
            }
        }
        Ok(tag)
    }
}

/// Hands data to a COPY.
///
/// # Errors
/// What the data do wrong, with line and reason.
pub async fn write(copy: &mut dyn CopyIn, data: Bytes) -> Result<()> {
    copy.write(data).await.map_err(|error| explained(&error))
}

fn explained(error: &Error) -> anyhow::Error {
    // The whole story in one line; the error itself as a source would tell it twice.
    anyhow::Error::msg(described(error))
}

/// Message, detail, context and hint in one line.
fn described(error: &Error) -> String {
    let parts = [&error.context, &error.detail, &error.hint];
    let parts = parts.into_iter().flatten().map(String::as_str);
    std::iter::once(error.message.as_str()).chain(parts).collect::<Vec<_>>().join("; ")
}

/// An identifier in SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Columns of the table for the columns of a file: by name, else by the name that a new table
/// would get.
///
/// # Errors
/// A column of the file that the table does not have.
pub fn matched(file: &[String], table: &[String]) -> Result<Vec<String>> {
    let find = |name: &String| {
        let plain = super::infer::column_name(name);
        table.iter().find(|one| *one == name).or_else(|| table.iter().find(|one| **one == plain))
    };
    file.iter()
        .map(|name| {
            find(name).cloned().with_context(|| format!("the table has no column \"{name}\""))
        })
        .collect()
}
