//! The checkpoint: what of a database is known without the log. One `redb` file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::brand_key::BrandKey;
use super::disk;
use super::file::{FileEntry, FileFacts, Graveyard};
use super::log::Position;
use super::part::{FilePart, PartId, TableData};
use super::snapshot::Snapshot;
use crate::catalog::{Catalog, PUBLIC_OID, is_stored};
use crate::definition::{FIRST_USER_OID, Object, Oid};
use crate::error::{Error, Result};

/// Name of the file in a database's directory.
pub(crate) const MANIFEST_FILE: &str = "catalog.redb";
/// Extension of the file while it is written anew.
const UNFINISHED: &str = "new";
/// Version of what is in it.
const FORMAT: u32 = 1;
/// OIDs that are reserved at once.
const OID_BLOCK: Oid = 1024;
/// Memory that redb may use for its cache: the file is read once, at start.
const CACHE_BYTES: usize = 4 << 20;

const FACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("facts");
const OBJECTS: TableDefinition<u32, &[u8]> = TableDefinition::new("objects");
const FILES: TableDefinition<u32, &[u8]> = TableDefinition::new("files");
const DELETED: TableDefinition<u32, &[u8]> = TableDefinition::new("deleted");

/// The one row of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) format: u32,
    /// Key of the hashes of unique keys.
    pub(crate) hash_key: [u8; 16],
    /// The brand's secret.
    #[serde(default)]
    pub(crate) brand_key: BrandKey,
    /// Numbers of nodes up to these were given out, of people and of companies: a number whose
    /// identifier was erased is not given to another.
    #[serde(default)]
    pub(crate) nodes: [u32; 2],
    /// OIDs from here on were never handed out.
    pub(crate) next_oid: Oid,
    /// Part numbers from here on were never used.
    pub(crate) next_part: PartId,
    /// Where a replay begins.
    pub(crate) replay_from: Position,
    /// The first record that the checkpoint does not have. Of those before it, a replay takes only
    /// the rows of `memory_parts`.
    pub(crate) complete_to: u64,
    /// Parts whose rows are in the log only, and their relations.
    pub(crate) memory_parts: Vec<(PartId, Oid)>,
}

impl Facts {
    /// Those of a new database.
    pub(crate) fn new(hash_key: [u8; 16], brand_key: BrandKey) -> Self {
        Self {
            format: FORMAT,
            hash_key,
            brand_key,
            nodes: [0; 2],
            next_oid: FIRST_USER_OID,
            next_part: 1,
            replay_from: Position::START,
            complete_to: Position::START.sequence,
            memory_parts: Vec::new(),
        }
    }
}

/// A checkpoint as it was read.
pub(crate) struct Checkpoint {
    pub(crate) facts: Facts,
    pub(crate) snapshot: Snapshot,
}

/// The store of checkpoints.
#[derive(Debug)]
pub(crate) struct Manifest {
    path: PathBuf,
    database: RwLock<Database>,
}

fn open(path: &Path) -> Result<Database> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder.create(path).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Definitions(error.to_string())
}

impl Manifest {
    /// Opens the file, or makes it with the checkpoint of a new database.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // What a rewrite left that did not come to its end.
        disk::unlink(&path.with_extension(UNFINISHED))?;
        let database = RwLock::new(open(path)?);
        let manifest = Self { path: path.to_owned(), database };
        match manifest.facts()? {
            None => {
                let facts = Facts::new(*uuid::Uuid::new_v4().as_bytes(), BrandKey::random()?);
                manifest.store(&Snapshot::new(Catalog::new()), None, &facts)?;
            }
            Some(facts) if facts.brand_key.is_missing() => {
                let facts = Facts { brand_key: BrandKey::random()?, ..facts };
                manifest.store_facts(&facts)?;
            }
            Some(_) => {}
        }
        Ok(manifest)
    }

    fn facts(&self) -> Result<Option<Facts>> {
        let reading = self.database.read().begin_read().map_err(failed)?;
        let Ok(table) = reading.open_table(FACTS) else { return Ok(None) };
        let Some(value) = table.get("facts").map_err(failed)? else { return Ok(None) };
        let facts: Facts = serde_json::from_slice(value.value()).map_err(failed)?;
        if facts.format != FORMAT {
            return Err(failed(format!("unknown format {}", facts.format)));
        }
        Ok(Some(facts))
    }

    /// OIDs from here on were never handed out.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub(crate) fn next_oid(&self) -> Result<Oid> {
        Ok(self.facts()?.map_or(FIRST_USER_OID, |facts| facts.next_oid))
    }

    /// Reads the checkpoint.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub(crate) fn load(&self, directory: &Path, graveyard: &Arc<Graveyard>) -> Result<Checkpoint> {
        let facts = self.facts()?.ok_or_else(|| failed("there is no checkpoint"))?;
        let reading = self.database.read().begin_read().map_err(failed)?;
        let mut catalog = Catalog::new();
        catalog.remove(PUBLIC_OID);
        let objects = reading.open_table(OBJECTS).map_err(failed)?;
        for entry in objects.iter().map_err(failed)? {
            let (_, value) = entry.map_err(failed)?;
            catalog.put(serde_json::from_slice::<Object>(value.value()).map_err(failed)?);
        }
        let deleted = reading.open_table(DELETED).map_err(failed)?;
        let files = reading.open_table(FILES).map_err(failed)?;
        let mut tables: BTreeMap<Oid, TableData> = BTreeMap::new();
        for entry in files.iter().map_err(failed)? {
            let (part, value) = entry.map_err(failed)?;
            let facts: FileFacts = serde_json::from_slice(value.value()).map_err(failed)?;
            let bitmap = deleted.get(part.value()).map_err(failed)?;
            let bitmap = bitmap.map(|value| RoaringBitmap::deserialize_from(value.value()));
            let bitmap = bitmap.transpose().map_err(failed)?.map(Arc::new);
            let table = tables.entry(facts.relation).or_default();
            let entry = Arc::new(FileEntry::new(facts, directory, graveyard));
            table.add_file(FilePart { entry, deleted: bitmap });
        }
        let mut snapshot = Snapshot::new(catalog);
        let tables = tables.into_iter().map(|(oid, table)| (oid, Arc::new(table)));
        snapshot.tables = Arc::new(tables.collect());
        Ok(Checkpoint { facts, snapshot })
    }

    /// Stores a checkpoint: what differs from the one stored last, in one transaction.
    ///
    /// # Errors
    /// [`Error::Definitions`]; the last checkpoint holds then.
    pub(crate) fn store(
        &self,
        now: &Snapshot,
        last: Option<&Snapshot>,
        facts: &Facts,
    ) -> Result<()> {
        let writing = self.database.write().begin_write().map_err(failed)?;
        store_objects(&writing, &now.catalog, last.map(|last| last.catalog.as_ref()))?;
        store_files(&writing, now, last)?;
        {
            let mut table = writing.open_table(FACTS).map_err(failed)?;
            let known = table.get("facts").map_err(failed)?.map(|value| value.value().to_vec());
            let known: Option<Facts> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let mut facts = facts.clone();
            // OIDs are reserved beside the checkpoints.
            facts.next_oid = facts.next_oid.max(known.map_or(0, |known| known.next_oid));
            let bytes = serde_json::to_vec(&facts).map_err(failed)?;
            table.insert("facts", bytes.as_slice()).map_err(failed)?;
        }
        writing.commit().map_err(failed)
    }

    /// Writes everything to a new file: the old one has pages that nobody uses any more, with what
    /// stood in them.
    ///
    /// # Errors
    /// [`Error::Definitions`]; the old file holds then.
    pub(crate) fn rewrite(&self) -> Result<()> {
        let mut database = self.database.write();
        let unfinished = self.path.with_extension(UNFINISHED);
        disk::unlink(&unfinished)?;
        let fresh = open(&unfinished)?;
        let reading = database.begin_read().map_err(failed)?;
        let writing = fresh.begin_write().map_err(failed)?;
        copy(&reading, &writing, FACTS)?;
        copy(&reading, &writing, OBJECTS)?;
        copy(&reading, &writing, FILES)?;
        copy(&reading, &writing, DELETED)?;
        writing.commit().map_err(failed)?;
        drop(reading);
        let renamed = std::fs::rename(&unfinished, &self.path);
        renamed.map_err(|error| disk::io_error(&self.path, error))?;
        if let Some(directory) = self.path.parent() {
            disk::sync_directory(directory)?;
        }
        *database = fresh;
        Ok(())
    }

    fn store_facts(&self, facts: &Facts) -> Result<()> {
        let writing = self.database.write().begin_write().map_err(failed)?;
        {
            let mut table = writing.open_table(FACTS).map_err(failed)?;
            let bytes = serde_json::to_vec(facts).map_err(failed)?;
            table.insert("facts", bytes.as_slice()).map_err(failed)?;
        }
        writing.commit().map_err(failed)
    }

    /// Reserves the next OIDs; returns the first and the end of the block.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub(crate) fn reserve_oids(&self, least: Oid) -> Result<(Oid, Oid)> {
        let writing = self.database.write().begin_write().map_err(failed)?;
        let block = {
            let mut table = writing.open_table(FACTS).map_err(failed)?;
            let bytes = table.get("facts").map_err(failed)?.map(|value| value.value().to_vec());
            let bytes = bytes.ok_or_else(|| failed("there is no checkpoint"))?;
            let mut facts: Facts = serde_json::from_slice(&bytes).map_err(failed)?;
            let first = facts.next_oid.max(least);
            facts.next_oid = first + OID_BLOCK;
            let bytes = serde_json::to_vec(&facts).map_err(failed)?;
            table.insert("facts", bytes.as_slice()).map_err(failed)?;
            (first, facts.next_oid)
        };
        writing.commit().map_err(failed)?;
        Ok(block)
    }
}

fn copy<K: redb::Key + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'static, K, &'static [u8]>,
) -> Result<()> {
    let from = from.open_table(table).map_err(failed)?;
    let mut to = to.open_table(table).map_err(failed)?;
    for entry in from.iter().map_err(failed)? {
        let (key, value) = entry.map_err(failed)?;
        to.insert(key.value(), value.value()).map_err(failed)?;
    }
    Ok(())
}

fn store_objects(writing: &WriteTransaction, now: &Catalog, last: Option<&Catalog>) -> Result<()> {
    let mut table = writing.open_table(OBJECTS).map_err(failed)?;
    let put = changed_objects(now, last);
    for object in put {
        let bytes = serde_json::to_vec(&object).map_err(failed)?;
        table.insert(object.oid(), bytes.as_slice()).map_err(failed)?;
    }
    let Some(last) = last else { return Ok(()) };
    for oid in last.stored_oids().filter(|oid| !now.has(*oid)) {
        table.remove(oid).map_err(failed)?;
    }
    Ok(())
}

/// Objects that are not what they were; built-in ones are code and not stored.
fn changed_objects(now: &Catalog, last: Option<&Catalog>) -> Vec<Object> {
    fn changed<T>(now: &Arc<T>, last: Option<&Arc<T>>) -> bool {
        !last.is_some_and(|last| Arc::ptr_eq(now, last))
    }
    let mut objects = Vec::new();
    for one in now.schemas().filter(|one| is_stored(one.oid)) {
        if changed(one, last.and_then(|last| last.schema_by_oid(one.oid))) {
            objects.push(Object::Schema(one.as_ref().clone()));
        }
    }
    for one in now.relations().filter(|one| is_stored(one.oid)) {
        if changed(one, last.and_then(|last| last.relation_by_oid(one.oid))) {
            objects.push(Object::Relation(one.as_ref().clone()));
        }
    }
    for one in now.domains().filter(|one| is_stored(one.oid)) {
        if changed(one, last.and_then(|last| last.domain_by_oid(one.oid))) {
            objects.push(Object::Domain(one.as_ref().clone()));
        }
    }
    for one in now.default_privileges() {
        let before = last.and_then(|last| last.default_privileges().find(|it| it.oid == one.oid));
        if changed(one, before) {
            objects.push(Object::DefaultPrivileges(one.as_ref().clone()));
        }
    }
    for one in now.servers() {
        if changed(one, last.and_then(|last| last.server_by_oid(one.oid))) {
            objects.push(Object::ForeignServer(one.as_ref().clone()));
        }
    }
    for one in now.functions() {
        if changed(one, last.and_then(|last| last.function_by_oid(one.oid))) {
            objects.push(Object::Function(one.as_ref().clone()));
        }
    }
    objects
}

fn store_files(writing: &WriteTransaction, now: &Snapshot, last: Option<&Snapshot>) -> Result<()> {
    let mut files = writing.open_table(FILES).map_err(failed)?;
    let mut deleted = writing.open_table(DELETED).map_err(failed)?;
    for (oid, table) in now.tables.iter() {
        let before = last.map(|last| last.table(*oid)).unwrap_or_default();
        if Arc::ptr_eq(&before, table) {
            continue;
        }
        for part in table.files.iter() {
            let id = part.entry.facts.part;
            let known = before.file_part(id);
            if known.is_none() {
                let bytes = serde_json::to_vec(&part.entry.facts).map_err(failed)?;
                files.insert(id, bytes.as_slice()).map_err(failed)?;
            }
            let same = match (known.and_then(|known| known.deleted.as_ref()), &part.deleted) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                (None, None) => true,
                _ => false,
            };
            if let (false, Some(bitmap)) = (same, &part.deleted) {
                let mut bytes = Vec::with_capacity(bitmap.serialized_size());
                bitmap.serialize_into(&mut bytes).map_err(failed)?;
                deleted.insert(id, bytes.as_slice()).map_err(failed)?;
            }
        }
    }
    let Some(last) = last else { return Ok(()) };
    for (oid, table) in last.tables.iter() {
        let now = now.table(*oid);
        for part in table.files.iter() {
            let id = part.entry.facts.part;
            if now.file_part(id).is_none() {
                files.remove(id).map_err(failed)?;
                deleted.remove(id).map_err(failed)?;
            }
        }
    }
    Ok(())
}
