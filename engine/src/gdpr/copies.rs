//! Copies of rows that were written elsewhere (`gdpr.copies`): published Delta tables, which a purge
//! writes anew where it can reach them, and backups, which it leaves as they are. Receipts name them,
//! and whom else has to be told (GDPR art. 19).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clientele_catalog::definition::{Database, Oid, Relation};
use clientele_catalog::features::oids::COPIES;
use clientele_catalog::privacy::treatment;
use clientele_catalog::storage::{Snapshot, Store};
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use serde_json::{Value, json};

use super::officer::must_be_officer;
use super::rows;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::functions::publishing::{DELTA, delta_directory, file_name};
use crate::session::Session;

/// What a purge made of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It has nobody any more who was erased.
    Renewed,
    /// It is gone: so is its table.
    Removed,
    /// It may have them still; why.
    Left(String),
}

/// Files of others that are read in place.
const FILES: &str = "files";

/// A copy.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    kind: String,
    /// Relative: below the data directory.
    directory: PathBuf,
    relation: Oid,
    table: Option<String>,
    made_at: Option<i64>,
    state: State,
}

impl Copy {
    /// As a receipt has it.
    pub(super) fn json(&self) -> Value {
        let made_at = self.made_at.and_then(chrono::DateTime::from_timestamp_micros);
        let (state, why) = match &self.state {
            State::Renewed => ("renewed", None),
            State::Removed => ("removed", None),
            State::Left(why) => ("left", Some(why)),
        };
        json!({
            "kind": self.kind,
            "directory": self.directory.display().to_string(),
            "table": self.table,
            "made_at": made_at.map(|at| at.to_rfc3339()),
            "state": state,
            "why": why,
        })
    }

    /// What to tell who purges; `None`: it has nobody any more.
    pub(super) fn warning(&self) -> Option<String> {
        let State::Left(why) = &self.state else { return None };
        let directory = self.directory.display();
        Some(format!("erased people may be in the {} in \"{directory}\": {why}", self.kind))
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self.kind.as_str() {
            FILES => "No answer shows these people; who keeps the files is to be told (art. 19).",
            _ => "The receipt names it. When it is gone, CALL gdpr.forget_copy(directory) says so.",
        }
    }

    fn is_inside(&self) -> bool {
        self.directory.is_relative()
    }
}

/// The copies of one database.
pub(super) struct Copies {
    /// Name of the database.
    pub(super) database: String,
    root: PathBuf,
}

impl Copies {
    pub(super) fn of(engine: &Engine, database: &Database) -> Self {
        Self { database: database.name.clone(), root: engine.cluster.directory().to_owned() }
    }

    /// Publishes every table anew that was published, without files of older versions, and removes
    /// copies below the data directory of tables that are gone.
    ///
    /// # Errors
    /// A file below the data directory cannot be read or written.
    pub(super) async fn renew(&self, store: &Arc<Store>) -> Result<Vec<Copy>> {
        // What is published from here on has nobody who was erased.
        let present = self.present();
        let snapshot = store.snapshot();
        let mut copies = known(store, &snapshot)?;
        for directory in present {
            if !copies.iter().any(|one| one.directory == directory) {
                copies.push(self.unnoted(&snapshot, directory));
            }
        }
        copies.retain(|one| !one.is_inside() || self.root.join(&one.directory).is_dir());
        for copy in &mut copies {
            copy.state = self.state(store, &snapshot, copy).await?;
        }
        copies.extend(read_in_place(&snapshot));
        Ok(copies)
    }

    /// The directories of published tables below the data directory.
    fn present(&self) -> BTreeSet<PathBuf> {
        let below = Path::new(DELTA).join(file_name(&self.database));
        let entries = std::fs::read_dir(self.root.join(&below)).into_iter().flatten().flatten();
        let directories = entries.filter(|one| one.path().is_dir());
        directories.map(|one| below.join(one.file_name())).collect()
    }

    /// The table that is published to a directory unless somebody names another.
    fn table_of<'a>(&self, snapshot: &'a Snapshot, directory: &Path) -> Option<&'a Arc<Relation>> {
        let catalog = &snapshot.catalog;
        catalog.relations().filter(|one| one.stores_rows()).find(|one| {
            let schema = catalog.schema_by_oid(one.schema).map(|one| one.name.as_str());
            let names = (schema.unwrap_or_default(), one.name.as_str());
            delta_directory(Path::new(""), &self.database, names) == directory
        })
    }

    /// One that was written before copies were noted.
    fn unnoted(&self, snapshot: &Snapshot, directory: PathBuf) -> Copy {
        let relation = self.table_of(snapshot, &directory);
        Copy {
            kind: "delta".to_owned(),
            relation: relation.map_or(0, |one| one.oid),
            table: relation.map(|one| snapshot.catalog.qualified_name(one)),
            directory,
            made_at: None,
            state: State::Renewed,
        }
    }

    async fn state(&self, store: &Store, snapshot: &Snapshot, copy: &Copy) -> Result<State> {
        let left = |why: &str| Ok(State::Left(why.to_owned()));
        let path = self.root.join(&copy.directory);
        // A table may have come in the place of one that was dropped.
        let relation = snapshot.catalog.relation_by_oid(copy.relation);
        let relation = relation.or_else(|| self.table_of(snapshot, &copy.directory));
        if copy.kind != "delta" {
            return left("it is as it was when it was made");
        }
        match relation.filter(|one| one.stores_rows()) {
            None if copy.is_inside() => {
                std::fs::remove_dir_all(&path).map_err(|error| {
                    let shown = path.display();
                    Error::new("58030", format!("could not remove \"{shown}\": {error}"))
                })?;
                Ok(State::Removed)
            }
            None => left("its table is gone"),
            Some(_) if !path.is_dir() => left("it is not there"),
            Some(relation) => {
                let how = (Duration::ZERO, Arc::default());
                match store.publish_delta(relation.oid, &path, how).await {
                    Ok(_) => Ok(State::Renewed),
                    Err(error) if copy.is_inside() => Err(error.into()),
                    Err(error) => left(&Error::from(error).message),
                }
            }
        }
    }
}

/// Files of others that foreign tables with personal columns read: nobody may rewrite them.
fn read_in_place(snapshot: &Snapshot) -> Vec<Copy> {
    let catalog = &snapshot.catalog;
    let is_personal = |relation: &Relation| {
        let mut columns = relation.live_columns();
        columns.any(|column| treatment(catalog, relation, column).category.is_some())
    };
    let tables = catalog.relations().filter(|one| is_personal(one));
    let files = tables.filter_map(|relation| {
        let names: Vec<&str> = relation.foreign()?.filenames().collect();
        let table = catalog.qualified_name(relation);
        Some(Copy {
            kind: FILES.to_owned(),
            directory: names.join(" ").into(),
            relation: relation.oid,
            state: State::Left(format!("{table} reads them in place")),
            table: Some(table),
            made_at: None,
        })
    });
    files.collect()
}

/// The rows of `gdpr.copies`.
fn known(store: &Store, snapshot: &Snapshot) -> Result<Vec<Copy>> {
    let copy = |row: &RecordBatch| Copy {
        kind: rows::text(row, "kind", 0).unwrap_or_default().to_owned(),
        directory: rows::text(row, "directory", 0).unwrap_or_default().into(),
        relation: rows::number(row, "relation", 0)
            .and_then(|one| Oid::try_from(one).ok())
            .unwrap_or(0),
        table: rows::text(row, "table_name", 0).map(str::to_owned),
        made_at: rows::instant(row, "made_at", 0),
        state: State::Renewed,
    };
    Ok(rows::stored(store, snapshot, COPIES)?.iter().map(|(row, _)| copy(row)).collect())
}

/// `gdpr.forget_copy(directory)`: what is not there any more is named by no receipt.
pub(super) async fn forget(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.forget_copy")?;
    let directory = text(&arguments, 0)
        .ok_or_else(|| Error::new("22004", "directory must not be null"))?
        .to_owned();
    let context = session.context().await?;
    let all = rows::stored(&context.store, &context.snapshot, COPIES)?;
    let found = all.iter().filter(|(row, _)| rows::text(row, "directory", 0) == Some(&directory));
    let found: Vec<_> = found.map(|(_, address)| *address).collect();
    if found.is_empty() {
        return Err(Error::new("P0002", format!("no copy was written to \"{directory}\""))
            .with_hint("SELECT * FROM gdpr.copies shows those that were."));
    }
    let work = session.work().await?;
    work.lock().await.delete(COPIES, &found)?;
    Ok(None)
}
