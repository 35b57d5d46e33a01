//! The cluster: one data directory with its roles and databases.
//!
//! ```text
//! clientele.lock           held by the server that has the directory open
//! VERSION                  format of the directory; written last, so it is whole when it is there
//! cluster.redb             roles and databases
//! databases/<oid>/         one store for each database
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use rustix::fs::{FlockOperation, flock};

use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::definition::{Database, FIRST_USER_OID, Oid, Role};
use crate::error::{Error, Result};
use crate::privileges::{self, Rights, predefined};
use crate::storage::{Store, StoreOptions, check_definitions, disk};

/// Version of the data directory.
pub(crate) const VERSION: &str = "1\n";
/// Name of the file that says the version; written last.
pub(crate) const VERSION_FILE: &str = "VERSION";
/// Name of the file of roles and databases.
const DEFINITIONS_FILE: &str = "cluster.redb";
/// OID of the database `postgres`, PostgreSQL's own number.
pub const POSTGRES_DATABASE_OID: Oid = 5;
/// Name of the role that a new cluster has.
pub const ADMIN: &str = "admin";
/// Name of the database that a new cluster has.
pub const POSTGRES: &str = "postgres";

const ROLES: TableDefinition<u32, &[u8]> = TableDefinition::new("roles");
const DATABASES: TableDefinition<u32, &[u8]> = TableDefinition::new("databases");
const COUNTERS: TableDefinition<&str, u32> = TableDefinition::new("counters");

#[derive(Debug, Default, Clone)]
struct Definitions {
    roles: BTreeMap<Oid, Role>,
    databases: BTreeMap<Oid, Database>,
    next_oid: Oid,
    /// Rises with every change of a role or a database.
    roles_version: u64,
}

/// A data directory that this process has open.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    options: StoreOptions,
    redb: RwLock<redb::Database>,
    definitions: RwLock<Definitions>,
    stores: Mutex<HashMap<Oid, Arc<Store>>>,
    /// Locked until it is closed.
    _lock: File,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Definitions(error.to_string())
}

impl Cluster {
    /// Makes a data directory: role `admin` (superuser) with that SCRAM verifier, database
    /// `postgres`.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when there is a cluster already, [`Error::InUse`], I/O failures.
    pub fn create(
        directory: &Path,
        admin_verifier: Option<String>,
        options: StoreOptions,
    ) -> Result<Self> {
        disk::make_directory(directory)?;
        let lock = lock(directory)?;
        if directory.join(VERSION_FILE).exists() {
            let name = directory.display().to_string();
            return Err(Error::Duplicate { kind: "data directory", name });
        }
        disk::make_directory(&directory.join("databases"))?;
        let cluster = Self::read(directory, options, lock)?;
        cluster.put_role(admin(admin_verifier))?;
        cluster.put_database(Database {
            oid: POSTGRES_DATABASE_OID,
            name: POSTGRES.to_owned(),
            owner: BOOTSTRAP_ROLE_OID,
            comment: Some("default administrative connection database".to_owned()),
            grants: None,
            settings: Vec::new(),
        })?;
        cluster.store(POSTGRES_DATABASE_OID)?;
        let version = directory.join(VERSION_FILE);
        let write = || {
            std::fs::write(&version, VERSION)?;
            File::open(&version)?.sync_all()
        };
        write().map_err(|error| disk::io_error(&version, error))?;
        disk::sync_directory(directory)?;
        Ok(cluster)
    }

    /// Opens a data directory; a missing or empty one is made, with an `admin` without password.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open, [`Error::Damaged`] when its version is
    /// unknown, I/O failures.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self> {
        let version = directory.join(VERSION_FILE);
        if !version.exists() {
            return Self::create(directory, None, options);
        }
        let lock = lock(directory)?;
        let found =
            std::fs::read_to_string(&version).map_err(|error| disk::io_error(&version, error))?;
        if found != VERSION {
            let reason = format!("version {} is unknown to this server", found.trim());
            return Err(Error::Damaged { path: version.display().to_string(), reason });
        }
        let cluster = Self::read(directory, options, lock)?;
        cluster.remove_orphans()?;
        Ok(cluster)
    }

    /// Whether the definitions of roles and databases are whole. Nothing is changed.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has the directory open, [`Error::Damaged`].
    pub fn check(directory: &Path) -> Result<()> {
        let _lock = lock(directory)?;
        check_definitions(&directory.join(DEFINITIONS_FILE))
    }

    fn read(directory: &Path, options: StoreOptions, lock: File) -> Result<Self> {
        let redb = open_file(&directory.join(DEFINITIONS_FILE))?;
        disk::sync_directory(directory)?;
        let definitions = RwLock::new(read_definitions(&redb)?);
        let redb = RwLock::new(redb);
        let (directory, stores) = (directory.to_owned(), Mutex::default());
        Ok(Self { directory, options, redb, definitions, stores, _lock: lock })
    }

    /// Directories of databases that are not there: a crash came before the entry, or after it
    /// was removed.
    fn remove_orphans(&self) -> Result<()> {
        let root = self.directory.join("databases");
        for entry in std::fs::read_dir(&root).map_err(|error| disk::io_error(&root, error))? {
            let entry = entry.map_err(|error| disk::io_error(&root, error))?;
            let oid = entry.file_name().to_str().and_then(|name| name.parse::<Oid>().ok());
            if oid.is_some_and(|oid| !self.definitions.read().databases.contains_key(&oid)) {
                let path = entry.path();
                std::fs::remove_dir_all(&path).map_err(|error| disk::io_error(&path, error))?;
            }
        }
        disk::sync_directory(&root)
    }

    /// All roles by OID.
    pub fn roles(&self) -> Vec<Role> {
        self.definitions.read().roles.values().cloned().collect()
    }

    /// Another number after every change of a role or of a database's owner.
    pub fn roles_version(&self) -> u64 {
        self.definitions.read().roles_version
    }

    /// The role of that OID.
    pub fn role(&self, oid: Oid) -> Option<Role> {
        self.definitions.read().roles.get(&oid).cloned()
    }

    /// The role of that name.
    pub fn role_by_name(&self, name: &str) -> Option<Role> {
        self.definitions.read().roles.values().find(|role| role.name == name).cloned()
    }

    /// What a role may count on in a database.
    pub fn rights(&self, role: Oid, database: Oid) -> Rights {
        let definitions = self.definitions.read();
        let owner = definitions.databases.get(&database).map_or(0, |database| database.owner);
        Rights::of(role, owner, |oid| definitions.roles.get(&oid))
    }

    /// Whether a role is another one or, over any number of steps, a member of it.
    pub fn is_member(&self, role: Oid, other: Oid) -> bool {
        let definitions = self.definitions.read();
        privileges::is_member(role, other, |oid| definitions.roles.get(&oid))
    }

    /// Adds a role, or replaces the one of its OID.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when another role has the name.
    pub fn put_role(&self, role: Role) -> Result<()> {
        let mut definitions = self.definitions.write();
        if definitions.roles.values().any(|one| one.name == role.name && one.oid != role.oid) {
            return Err(Error::Duplicate { kind: "role", name: role.name });
        }
        let bytes = serde_json::to_vec(&role).map_err(failed)?;
        self.write(ROLES, role.oid, Some(&bytes), definitions.next_oid)?;
        definitions.roles.insert(role.oid, role);
        definitions.roles_version += 1;
        Ok(())
    }

    /// Takes a role away; does nothing when there is none.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub fn drop_role(&self, oid: Oid) -> Result<()> {
        let mut definitions = self.definitions.write();
        self.write(ROLES, oid, None, definitions.next_oid)?;
        definitions.roles.remove(&oid);
        definitions.roles_version += 1;
        Ok(())
    }

    /// All databases by OID.
    pub fn databases(&self) -> Vec<Database> {
        self.definitions.read().databases.values().cloned().collect()
    }

    /// The database of that name.
    pub fn database_by_name(&self, name: &str) -> Option<Database> {
        self.definitions.read().databases.values().find(|one| one.name == name).cloned()
    }

    /// The database of that OID.
    pub fn database(&self, oid: Oid) -> Option<Database> {
        self.definitions.read().databases.get(&oid).cloned()
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when the name is taken, I/O failures.
    pub fn create_database(&self, name: &str, owner: Oid) -> Result<Database> {
        if self.database_by_name(name).is_some() {
            return Err(Error::Duplicate { kind: "database", name: name.to_owned() });
        }
        let oid = self.allocate_oid()?;
        let database = Database {
            oid,
            name: name.to_owned(),
            owner,
            comment: None,
            grants: None,
            settings: Vec::new(),
        };
        // The directory first: an entry without one would be a database that lost its rows.
        let store = self.open_store(oid)?;
        self.put_database(database.clone())?;
        self.stores.lock().insert(oid, store);
        Ok(database)
    }

    /// Replaces the definition of a database (owner, comment, grants), or adds it.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when another database has the name.
    pub fn put_database(&self, database: Database) -> Result<()> {
        let mut definitions = self.definitions.write();
        let taken = |one: &Database| one.name == database.name && one.oid != database.oid;
        if definitions.databases.values().any(taken) {
            return Err(Error::Duplicate { kind: "database", name: database.name });
        }
        let bytes = serde_json::to_vec(&database).map_err(failed)?;
        self.write(DATABASES, database.oid, Some(&bytes), definitions.next_oid)?;
        definitions.databases.insert(database.oid, database);
        definitions.roles_version += 1;
        Ok(())
    }

    /// Renames a database; does nothing when there is none.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when another database has the name.
    pub fn rename_database(&self, oid: Oid, name: &str) -> Result<()> {
        match self.database(oid) {
            Some(database) => self.put_database(Database { name: name.to_owned(), ..database }),
            None => Ok(()),
        }
    }

    /// Takes a database and its files away. The caller sees to it that no session is in it.
    ///
    /// # Errors
    /// [`Error::Definitions`]; files that cannot be removed are, at the next start.
    pub fn drop_database(&self, oid: Oid) -> Result<()> {
        {
            let mut definitions = self.definitions.write();
            self.write(DATABASES, oid, None, definitions.next_oid)?;
            definitions.databases.remove(&oid);
        }
        drop(self.stores.lock().remove(&oid));
        let path = self.database_directory(oid);
        if let Err(error) = std::fs::remove_dir_all(&path) {
            tracing::warn!(%error, "the files of a dropped database could not be removed");
        }
        disk::sync_directory(&self.directory.join("databases"))
    }

    /// The store of a database; opened when it is used first.
    ///
    /// # Errors
    /// There is no such database, or its directory cannot be opened.
    pub fn store(&self, oid: Oid) -> Result<Arc<Store>> {
        let mut stores = self.stores.lock();
        if let Some(store) = stores.get(&oid) {
            return Ok(Arc::clone(store));
        }
        if !self.definitions.read().databases.contains_key(&oid) {
            return Err(Error::Internal(format!("there is no database {oid}")));
        }
        let store = self.open_store(oid)?;
        stores.insert(oid, Arc::clone(&store));
        Ok(store)
    }

    /// Stores that are open, by the OID of their database.
    pub fn open_stores(&self) -> Vec<(Oid, Arc<Store>)> {
        self.stores.lock().iter().map(|(oid, store)| (*oid, Arc::clone(store))).collect()
    }

    /// Closes all stores.
    ///
    /// # Errors
    /// The first failure; the others are closed nevertheless.
    pub async fn close(&self) -> Result<()> {
        let mut result = Ok(());
        for (_, store) in self.open_stores() {
            result = result.and(store.close().await);
        }
        result
    }

    /// Writes roles, and those databases that are listed, as the definitions of another data
    /// directory.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub(crate) fn copy_definitions(&self, target: &Path, databases: &[Database]) -> Result<()> {
        let definitions = self.definitions.read().clone();
        let file = open_file(&target.join(DEFINITIONS_FILE))?;
        write_definitions(&file, &definitions, databases)
    }

    /// Writes the definitions to a new file: the old one has pages that nobody uses any more, with
    /// what stood in them.
    ///
    /// # Errors
    /// [`Error::Definitions`], I/O failures; the old file holds then.
    pub fn rewrite(&self) -> Result<()> {
        let definitions = self.definitions.write();
        let path = self.directory.join(DEFINITIONS_FILE);
        let unfinished = path.with_extension("unfinished");
        disk::unlink(&unfinished)?;
        let fresh = open_file(&unfinished)?;
        let databases: Vec<Database> = definitions.databases.values().cloned().collect();
        write_definitions(&fresh, &definitions, &databases)?;
        let renamed = std::fs::rename(&unfinished, &path);
        renamed.map_err(|error| disk::io_error(&path, error))?;
        disk::sync_directory(&self.directory)?;
        *self.redb.write() = fresh;
        Ok(())
    }

    /// What the definitions of roles and databases say, each with what it is of, and the whole file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn texts(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let definitions = self.definitions.read();
        let mut texts = Vec::new();
        for role in definitions.roles.values() {
            let text = serde_json::to_vec(role).map_err(failed)?;
            texts.push((format!("definition of role {}", role.name), text));
        }
        for one in definitions.databases.values() {
            let text = serde_json::to_vec(one).map_err(failed)?;
            texts.push((format!("definition of database {}", one.name), text));
        }
        let path = self.directory.join(DEFINITIONS_FILE);
        let bytes = std::fs::read(&path).map_err(|error| disk::io_error(&path, error))?;
        texts.push((DEFINITIONS_FILE.to_owned(), bytes));
        Ok(texts)
    }

    /// The directory of a database.
    pub fn database_directory(&self, oid: Oid) -> PathBuf {
        self.directory.join("databases").join(oid.to_string())
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A new OID for a role or a database.
    ///
    /// # Errors
    /// [`Error::Definitions`].
    pub fn allocate_oid(&self) -> Result<Oid> {
        let mut definitions = self.definitions.write();
        let oid = definitions.next_oid;
        let writing = self.redb.read().begin_write().map_err(failed)?;
        writing.open_table(COUNTERS).map_err(failed)?.insert("oid", oid + 1).map_err(failed)?;
        writing.commit().map_err(failed)?;
        definitions.next_oid = oid + 1;
        Ok(oid)
    }

    fn open_store(&self, oid: Oid) -> Result<Arc<Store>> {
        let options = StoreOptions { database: oid, ..self.options.clone() };
        Store::open(&self.database_directory(oid), options)
    }

    fn write(
        &self,
        table: TableDefinition<u32, &[u8]>,
        oid: Oid,
        bytes: Option<&[u8]>,
        next_oid: Oid,
    ) -> Result<()> {
        let writing = self.redb.read().begin_write().map_err(failed)?;
        {
            let mut table = writing.open_table(table).map_err(failed)?;
            match bytes {
                Some(bytes) => drop(table.insert(oid, bytes).map_err(failed)?),
                None => drop(table.remove(oid).map_err(failed)?),
            }
            let mut counters = writing.open_table(COUNTERS).map_err(failed)?;
            counters.insert("oid", next_oid).map_err(failed)?;
        }
        writing.commit().map_err(failed)
    }
}

fn admin(password: Option<String>) -> Role {
    Role {
        oid: BOOTSTRAP_ROLE_OID,
        name: ADMIN.to_owned(),
        password,
        login: true,
        superuser: true,
        create_database: true,
        create_role: true,
        inherit: true,
        connection_limit: -1,
        member_of: Vec::new(),
        comment: None,
        valid_until: None,
        settings: Vec::new(),
        bypasses_row_security: true,
    }
}

fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("clientele.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| disk::io_error(&path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Error::InUse { path: directory.display().to_string() })
        }
        Err(error) => Err(disk::io_error(&path, error.into())),
    }
}

fn open_file(path: &Path) -> Result<redb::Database> {
    let mut builder = redb::Database::builder();
    builder.set_cache_size(1 << 20);
    builder.create(path).map_err(failed)
}

fn write_definitions(
    redb: &redb::Database,
    definitions: &Definitions,
    databases: &[Database],
) -> Result<()> {
    let writing = redb.begin_write().map_err(failed)?;
    {
        let mut table = writing.open_table(ROLES).map_err(failed)?;
        for role in definitions.roles.values() {
            let bytes = serde_json::to_vec(role).map_err(failed)?;
            table.insert(role.oid, bytes.as_slice()).map_err(failed)?;
        }
        let mut table = writing.open_table(DATABASES).map_err(failed)?;
        for database in databases {
            let bytes = serde_json::to_vec(database).map_err(failed)?;
            table.insert(database.oid, bytes.as_slice()).map_err(failed)?;
        }
        let mut counters = writing.open_table(COUNTERS).map_err(failed)?;
        counters.insert("oid", definitions.next_oid).map_err(failed)?;
    }
    writing.commit().map_err(failed)
}

fn read_definitions(redb: &redb::Database) -> Result<Definitions> {
    // A new file has no tables until the first write.
    let writing = redb.begin_write().map_err(failed)?;
    writing.open_table(ROLES).map_err(failed)?;
    writing.open_table(DATABASES).map_err(failed)?;
    writing.open_table(COUNTERS).map_err(failed)?;
    writing.commit().map_err(failed)?;
    let reading = redb.begin_read().map_err(failed)?;
    let mut definitions = Definitions { next_oid: FIRST_USER_OID, ..Default::default() };
    for entry in reading.open_table(ROLES).map_err(failed)?.iter().map_err(failed)? {
        let (oid, value) = entry.map_err(failed)?;
        let role = serde_json::from_slice(value.value()).map_err(failed)?;
        definitions.roles.insert(oid.value(), role);
    }
    for role in predefined::roles() {
        definitions.roles.entry(role.oid).or_insert(role);
    }
    for entry in reading.open_table(DATABASES).map_err(failed)?.iter().map_err(failed)? {
        let (oid, value) = entry.map_err(failed)?;
        let database = serde_json::from_slice(value.value()).map_err(failed)?;
        definitions.databases.insert(oid.value(), database);
    }
    let counters = reading.open_table(COUNTERS).map_err(failed)?;
    if let Some(next) = counters.get("oid").map_err(failed)? {
        definitions.next_oid = definitions.next_oid.max(next.value());
    }
    Ok(definitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_survives_and_excludes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        let cluster =
            Cluster::create(&path, Some("verifier".to_owned()), StoreOptions::default()).unwrap();
        assert!(matches!(Cluster::open(&path, StoreOptions::default()), Err(Error::InUse { .. })));
        let acme = cluster.create_database("acme", 10).unwrap();
        let again = cluster.create_database("acme", 10);
        assert!(matches!(again, Err(Error::Duplicate { kind: "database", .. })));
        cluster.rename_database(acme.oid, "emca").unwrap();
        let gone = cluster.create_database("gone", 10).unwrap();
        cluster.drop_database(gone.oid).unwrap();
        assert!(!cluster.database_directory(gone.oid).exists());
        drop(cluster);
        std::fs::create_dir(path.join("databases/99999")).unwrap();
        let cluster = Cluster::open(&path, StoreOptions::default()).unwrap();
        assert!(!path.join("databases/99999").exists());
        assert_eq!(cluster.database_by_name("emca").unwrap().oid, acme.oid);
        assert_eq!(cluster.role_by_name(ADMIN).unwrap().password.as_deref(), Some("verifier"));
        assert!(cluster.allocate_oid().unwrap() > gone.oid);
        assert!(cluster.store(POSTGRES_DATABASE_OID).is_ok());
        assert!(cluster.store(gone.oid).is_err());
    }
}
