//! What a statement is planned against: one snapshot, one role, one set of settings.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use clientele_catalog::Catalog;
use clientele_catalog::catalog::{PG_CATALOG_OID, PUBLIC_OID};
use clientele_catalog::definition::{Database, Domain, FIRST_USER_OID, Oid, Relation, Role};
use clientele_catalog::features::SEGMENTS_OID;
use clientele_catalog::privileges::Rights;
use clientele_catalog::storage::{Listings, Snapshot, Store};
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::session_state::SessionState;
use sqlparser::ast::ObjectName;

use super::read_by_owner;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::session::basis::Basis;
use crate::session::settings::Settings;
use crate::session::shared::SessionShared;
use crate::sql::place::name_parts;

/// Everything a statement may look at. Cheap to make; immutable.
#[derive(Clone)]
pub struct QueryContext {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The session that asks.
    pub session: Arc<SessionShared>,
    /// The database it is connected to.
    pub database: Arc<Database>,
    /// Its rows.
    pub store: Arc<Store>,
    /// The instant that is seen.
    pub snapshot: Arc<Snapshot>,
    /// The current role (`SET ROLE` applied).
    pub role: Arc<Role>,
    /// What that role may count on.
    pub rights: Arc<Rights>,
    /// Settings as they are.
    pub settings: Arc<Settings>,
    /// Schemas that unqualified names are looked for in, in order; without `pg_catalog`.
    pub search_path: Arc<[Oid]>,
    /// DataFusion's state of this session.
    pub state: Arc<SessionState>,
    /// When the transaction began.
    pub started_at: DateTime<Utc>,
    /// Values are seen as they are: the engine shows them to nobody.
    pub(crate) clear: bool,
    /// What parts of the statement that came before have returned.
    pub(crate) given: Vec<Given>,
    /// The files of foreign tables, as the statement sees them.
    pub(crate) listings: Arc<Listings>,
    /// What plans of this statement depend on.
    pub(crate) basis: Arc<Basis>,
    /// The facts that `pg_catalog` is drawn from, once asked for.
    pub facts: OnceLock<Arc<clientele_catalog::pg_catalog::Context>>,
}

/// The rows of a part of a statement, under its name; `None`: it returns none.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) rows: Option<RecordBatch>,
}

/// What a relation's name stands for.
pub enum Named {
    /// A table, view, materialized view or sequence of the database.
    Relation(Arc<Relation>),
    /// A relation of `pg_catalog` or `information_schema`: schema and name.
    System(&'static str, String),
}

impl QueryContext {
    /// DataFusion's state with the transaction's time in it, which its optimizer puts into plans.
    pub fn timed_state(&self) -> SessionState {
        let mut state = self.state.as_ref().clone();
        state.execution_props_mut().query_execution_start_time = Some(self.started_at);
        state
    }

    /// The same with the rows of earlier parts.
    pub(crate) fn giving(&self, given: &[Given]) -> Arc<Self> {
        Arc::new(Self { given: given.to_vec(), ..self.clone() })
    }

    /// The catalog seen.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.snapshot.catalog
    }

    /// The same with the rights of another role.
    pub fn as_role(&self, role: Oid) -> Arc<Self> {
        let rights = self.engine.cluster.rights(role, self.database.oid);
        let role = self.engine.cluster.role(role).map_or_else(|| Arc::clone(&self.role), Arc::new);
        let facts = OnceLock::new();
        Arc::new(Self { role, rights: Arc::new(rights), facts, ..self.clone() })
    }

    /// What the parts of a name stand for; `None` when there is no such relation.
    ///
    /// # Errors
    /// 0A000 for a name in another database, 42501 for a schema that the role may not look into.
    pub fn find_relation(&self, parts: &[String]) -> Result<Option<Named>> {
        if read_by_owner::unmarked(parts).is_some() {
            return self.resolve(parts);
        }
        if let [schema, _] = self.without_database(parts)?
            && let Some(schema) = self.catalog().schema(schema)
            && schema.name != self.session.temporary_schema()
        {
            self.must_enter(schema)?;
        }
        self.resolve(parts)
    }

    /// [`Self::find_relation`] for who was allowed to look already.
    ///
    /// # Errors
    /// 0A000 for a name in another database.
    pub fn resolve(&self, parts: &[String]) -> Result<Option<Named>> {
        let parts = read_by_owner::unmarked(parts).map_or(parts, |(_, parts)| parts);
        match self.without_database(parts)? {
            [name] => Ok(self.find_unqualified(name)),
            [schema, name] => Ok(self.find_in(schema, name)),
            _ => Err(Error::new("42601", format!("improper relation name: {}", parts.join(".")))),
        }
    }

    fn find_unqualified(&self, name: &str) -> Option<Named> {
        let temporary = self.catalog().schema(&self.session.temporary_schema());
        if let Some(found) = temporary.and_then(|schema| self.catalog().relation(schema.oid, name))
        {
            return Some(Named::Relation(Arc::clone(found)));
        }
        if clientele_catalog::pg_catalog::schema_of("pg_catalog", name).is_some() {
            return Some(Named::System("pg_catalog", name.to_owned()));
        }
        self.search_path.iter().find_map(|schema| {
            self.catalog().relation(*schema, name).map(|found| Named::Relation(Arc::clone(found)))
        })
    }

    fn find_in(&self, schema: &str, name: &str) -> Option<Named> {
        let schema =
            if schema == "pg_temp" { self.session.temporary_schema() } else { schema.to_owned() };
        for system in ["pg_catalog", "information_schema", "clientele"] {
            let known = || clientele_catalog::pg_catalog::schema_of(system, name).is_some();
            if schema == system && known() {
                return Some(Named::System(system, name.to_owned()));
            }
        }
        let schema = self.catalog().schema(&schema)?;
        self.catalog().relation(schema.oid, name).map(|found| Named::Relation(Arc::clone(found)))
    }

    /// The relation of that name.
    ///
    /// # Errors
    /// 42P01 when there is none, 42809 for a system relation.
    pub fn relation(&self, name: &ObjectName) -> Result<Arc<Relation>> {
        let parts = name_parts(name);
        match self.find_relation(&parts)? {
            Some(Named::Relation(relation)) => Ok(relation),
            Some(Named::System(_, name)) => Err(Error::new(
                "42501",
                format!("permission denied: \"{name}\" is a system catalog"),
            )),
            None => Err(undefined_table(&parts)),
        }
    }

    /// A domain by the parts of its name; built-in ones are found everywhere.
    pub fn domain(&self, parts: &[String]) -> Option<&Arc<Domain>> {
        match self.without_database(parts).ok()? {
            [name] => {
                let path = std::iter::once(PG_CATALOG_OID).chain(self.search_path.iter().copied());
                path.into_iter().find_map(|schema| self.catalog().domain(schema, name))
            }
            [schema, name] => {
                let schema = self.catalog().schema(schema)?;
                self.catalog().domain(schema.oid, name)
            }
            _ => None,
        }
    }

    /// The schema that a new object goes into, and its name there.
    ///
    /// # Errors
    /// 3F000 no such schema, 42501 one that the role may not create in, 0A000 another database.
    pub fn creation_target(&self, name: &ObjectName) -> Result<(Oid, String)> {
        match self.view_target(name)? {
            (SEGMENTS_OID, _) => {
                let text = "permission denied for schema segments";
                Err(Error::new("42501", text)
                    .with_detail("Only views and materialized views can be made in it."))
            }
            target => Ok(target),
        }
    }

    /// The schema that a new view goes into, and its name there.
    ///
    /// # Errors
    /// As [`QueryContext::creation_target`].
    pub fn view_target(&self, name: &ObjectName) -> Result<(Oid, String)> {
        let parts = name_parts(name);
        let (schema, name) = match self.without_database(&parts)? {
            [name] => match self.search_path.first() {
                Some(schema) => (*schema, name.clone()),
                None => {
                    return Err(Error::new("3F000", "no schema has been selected to create in"));
                }
            },
            [schema, name] => (self.view_schema(schema)?, name.clone()),
            _ => {
                let text = format!("improper qualified name: {}", parts.join("."));
                return Err(Error::new("42601", text));
            }
        };
        self.must_create_in(schema)?;
        Ok((schema, name))
    }

    /// The schema of that name.
    ///
    /// # Errors
    /// 3F000, 42501.
    pub fn schema(&self, name: &str) -> Result<Oid> {
        match self.catalog().schema(name) {
            Some(schema) if schema.oid < FIRST_USER_OID && schema.oid != PUBLIC_OID => {
                Err(Error::new("42501", format!("permission denied for schema {name}")))
            }
            Some(schema) => Ok(schema.oid),
            None => Err(Error::new("3F000", format!("schema \"{name}\" does not exist"))),
        }
    }

    /// The schema of that name, for views: schema `segments` is open for them.
    ///
    /// # Errors
    /// As [`QueryContext::schema`].
    pub fn view_schema(&self, name: &str) -> Result<Oid> {
        match self.catalog().schema(name) {
            Some(schema) if schema.oid == SEGMENTS_OID => Ok(SEGMENTS_OID),
            _ => self.schema(name),
        }
    }

    /// A name without the database in front, when that is the connected one.
    fn without_database<'a>(&self, parts: &'a [String]) -> Result<&'a [String]> {
        match parts {
            [database, rest @ ..] if rest.len() == 2 => {
                if *database == self.database.name {
                    return Ok(rest);
                }
                let name = parts.join(".");
                Err(Error::unsupported(format!("a reference to another database (\"{name}\")")))
            }
            parts => Ok(parts),
        }
    }
}

/// `relation "x" does not exist` (42P01).
pub fn undefined_table(parts: &[String]) -> Error {
    Error::new("42P01", format!("relation \"{}\" does not exist", parts.join(".")))
}
