//! Statements by name: those of the protocol's Parse and those of PREPARE are the same ones
//! (manual: protocol-flow, sql-prepare). The unnamed one is called "".

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::pg_catalog::PreparedFacts;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::{Prepared, Session};
use crate::error::{Error, Result};
use crate::functions;

impl Session {
    /// Keeps a statement, of SQL's PREPARE or of the protocol. The unnamed one takes the place of
    /// the one before it.
    ///
    /// # Errors
    /// 42P05 when the name is taken.
    pub fn keep(&mut self, name: String, prepared: Prepared, sql: Option<&str>) -> Result<()> {
        self.refuse_taken(&name)?;
        if !name.is_empty() {
            self.shared.prepared.lock().push(PreparedFacts {
                name: name.clone(),
                statement: sql.unwrap_or_else(|| prepared.text()).to_owned(),
                prepared_at: Utc::now().timestamp_micros(),
                parameters: prepared.parameters().to_vec(),
                from_sql: sql.is_some(),
            });
        }
        self.prepared.insert(name, Arc::new(prepared));
        Ok(())
    }

    /// Refuses a name that is taken.
    ///
    /// # Errors
    /// 42P05.
    pub fn refuse_taken(&self, name: &str) -> Result<()> {
        match name.is_empty() || !self.prepared.contains_key(name) {
            true => Ok(()),
            false => {
                let text = format!("prepared statement \"{name}\" already exists");
                Err(Error::new("42P05", text))
            }
        }
    }

    /// The statement of that name.
    ///
    /// # Errors
    /// 26000 when there is none.
    pub fn named(&self, name: &str) -> Result<Arc<Prepared>> {
        self.prepared.get(name).cloned().ok_or_else(|| match name {
            "" => Error::new("26000", "unnamed prepared statement does not exist"),
            name => missing(name),
        })
    }

    /// Whether values of a type are names of the catalog: `regclass` and its kin.
    pub fn is_registered(pg_type: PgType) -> bool {
        functions::is_registered(pg_type)
    }

    /// A parameter of such a type, from its text.
    ///
    /// # Errors
    /// 42P01, 42704, 42883: there is no such object.
    pub async fn registered(&mut self, pg_type: PgType, name: &str) -> Result<ScalarValue> {
        let context = self.context().await?;
        functions::read_registered(&context, pg_type, name)
    }

    /// Forgets a statement; whether there was one.
    pub fn forget_named(&mut self, name: &str) -> bool {
        self.shared.prepared.lock().retain(|one| one.name != name);
        self.prepared.remove(name).is_some()
    }

    /// Forgets all statements.
    pub(crate) fn forget_all_named(&mut self) {
        self.shared.prepared.lock().clear();
        self.prepared.clear();
    }
}

/// `prepared statement "p" does not exist` (26000).
pub(crate) fn missing(name: &str) -> Error {
    Error::new("26000", format!("prepared statement \"{name}\" does not exist"))
}
