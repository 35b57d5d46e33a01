//! The store of one database.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::local::LocalFileSystem;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::brand_key::BrandKey;
use super::commit::{Committer, Queue};
use super::disk;
use super::file::{FileFacts, Graveyard};
use super::log::LogWriter;
use super::manifest::{MANIFEST_FILE, Manifest};
use super::prepare::prepare;
use super::provider::{StoredTable, provider_schema};
use super::recovery::{recover, remove_orphans};
use super::scan_files::store_url;
use super::shared::{Shared, Start};
use super::snapshot::Snapshot;
use super::stitching::{self, Identity};
use super::tally::{IndexTally, Tally};
use super::temporary::TemporarySpace;
use super::transaction::Transaction;
use super::upkeep::{Background, Upkeep};
use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::definition::{Oid, Relation, Schema};
use crate::domains::Subject;
use crate::error::{Error, Result};
use crate::features::oids;
use crate::progress::Progress;

/// Limits of a store. [`StoreOptions::default`] is what a server uses.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// OID of the database; part of the URL under which its files are registered.
    pub database: Oid,
    /// Size of a log segment in bytes; a larger record gets a segment of its own.
    pub segment_bytes: u64,
    /// Bytes of rows in memory from which on they are written to files.
    pub memory_part_bytes: usize,
    /// Age of the oldest row in memory from which on they are written to files, in seconds.
    pub flush_after_s: u64,
    /// Bytes of log from which on rows in memory are written to files.
    pub log_bytes: u64,
    /// Rows of one bulk insert from which on they go straight to files.
    pub bulk_rows: usize,
    /// Rows of a Parquet row group.
    pub row_group_rows: usize,
    /// Rows of a data file at most.
    pub file_rows: usize,
    /// Bytes of decoded rows that point lookups keep.
    pub row_cache_bytes: usize,
    /// Bytes of bloom filters and value indexes that scans for single values keep.
    pub value_index_bytes: usize,
    /// Whether files are flushed and compacted in the background.
    pub background: bool,
    /// Whether a new database gets the default rules of identity.
    pub seeds: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            database: 0,
            segment_bytes: 16 << 20,
            memory_part_bytes: 64 << 20,
            flush_after_s: 60,
            log_bytes: 256 << 20,
            bulk_rows: 128 << 10,
            row_group_rows: 128 << 10,
            file_rows: 2 << 20,
            row_cache_bytes: 256 << 20,
            value_index_bytes: 256 << 20,
            background: true,
            seeds: true,
        }
    }
}

/// What a commit leads to.
#[derive(Debug)]
pub struct Committed {
    /// The newest snapshot; it has the transaction's changes.
    pub snapshot: Arc<Snapshot>,
    /// The session's temporary relations from now on.
    pub temporary: Arc<TemporarySpace>,
}

/// Schemas of relations that are kept ready.
const SCHEMAS_MAX: usize = 4096;

/// By OID and whether there is a `ctid`: the definition that the schema was made from, and it.
type Schemas = HashMap<(Oid, bool), (Arc<Relation>, SchemaRef)>;

#[derive(Debug)]
struct OidBlock {
    next: Oid,
    end: Oid,
}

/// One database: definitions and rows in one directory.
#[derive(Debug)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    /// There until the store is dropped.
    upkeep: Option<Arc<Upkeep>>,
    background: Mutex<Option<Background>>,
    committer: Option<JoinHandle<()>>,
    oids: Mutex<OidBlock>,
    schemas: Mutex<Schemas>,
}

impl Store {
    /// The directory of the database.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Opens the store in a directory and recovers what was committed; an empty or missing
    /// directory becomes a new database.
    ///
    /// # Errors
    /// A file cannot be read or is damaged, or another process has the directory open.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Arc<Self>> {
        disk::make_directory(directory)?;
        disk::make_directory(&directory.join("log"))?;
        disk::make_directory(&directory.join("files"))?;
        let manifest = Manifest::open(&directory.join(MANIFEST_FILE))?;
        disk::sync_directory(directory)?;
        let graveyard = Arc::new(Graveyard::default());
        let (mut recovered, stored, facts) = recover(directory, &manifest, &graveyard)?;
        let identity = Arc::new(Identity::load(&mut recovered.snapshot, &facts.brand_key)?);
        for (subject, last) in Subject::ALL.into_iter().zip(facts.nodes) {
            identity.nodes(subject).reserve(last);
        }
        let orphans = remove_orphans(directory, &recovered.snapshot)?;
        tracing::info!(records = recovered.records, orphans = orphans.len(), "database recovered");
        let log = LogWriter::open(directory, recovered.position, options.segment_bytes)?;
        let start = Start {
            snapshot: Arc::new(recovered.snapshot),
            graveyard,
            identity,
            hash_key: facts.hash_key,
            brand_key: facts.brand_key.clone(),
            next_part: recovered.next_part,
            manifest,
        };
        let shared = Arc::new(Shared::new(directory.to_owned(), options, start));
        let (queue, committer) = Queue::start(Committer::new(Arc::clone(&shared), log))
            .map_err(|error| disk::io_error(directory, error))?;
        let upkeep = Arc::new(Upkeep::new(&shared, queue, stored));
        let background = match shared.options.background {
            true => Some(Background::start(&upkeep)?),
            false => None,
        };
        let store = Arc::new(Self {
            shared,
            upkeep: Some(upkeep),
            background: Mutex::new(background),
            committer: Some(committer),
            oids: Mutex::new(OidBlock { next: recovered.next_oid, end: recovered.next_oid }),
            schemas: Mutex::default(),
        });
        store.seed()?;
        Ok(store)
    }

    /// Gives a new database the rules that it begins with.
    fn seed(self: &Arc<Self>) -> Result<()> {
        if !self.shared.options.seeds || self.snapshot().row_count(oids::RULE_CHANGES) > 0 {
            return Ok(());
        }
        let schema = Schema {
            oid: 0,
            name: String::new(),
            owner: BOOTSTRAP_ROLE_OID,
            comment: None,
            grants: None,
        };
        let mut transaction = self.begin(Arc::new(TemporarySpace::new(schema)));
        for (relation, rows) in stitching::seeds()? {
            transaction.insert(relation, rows)?;
        }
        // Whoever opens a store may stand in a runtime, where waiting is forbidden.
        let commit = || futures::executor::block_on(self.commit(transaction)).map(drop);
        std::thread::scope(|scope| scope.spawn(commit).join())
            .map_err(|_| Error::Internal("the first rules could not be written".to_owned()))?
    }

    /// The newest committed snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published()
    }

    /// The version of the newest snapshot, to wait for the next.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.shared.versions.subscribe()
    }

    /// The brand's secret, for keyed hashes and signatures.
    pub fn brand_key(&self) -> &BrandKey {
        &self.shared.brand_key
    }

    /// Begins a transaction on the newest snapshot.
    pub fn begin(self: &Arc<Self>, temporary: Arc<TemporarySpace>) -> Transaction {
        Transaction::new(Arc::clone(self), temporary)
    }

    /// Commits a transaction: durable when it returns.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Duplicate`] and [`Error::UniqueViolation`] when another
    /// transaction was faster; [`Error::DiskFull`], [`Error::Io`] and [`Error::ReadOnly`] when the
    /// log cannot be written. Nothing of the transaction is left then.
    pub async fn commit(&self, mut transaction: Transaction) -> Result<Committed> {
        let temporary = Arc::clone(&transaction.temporary);
        if transaction.is_read_only() {
            return Ok(Committed { snapshot: self.snapshot(), temporary });
        }
        if self.shared.memory_is_full() {
            // Writers wait for the flusher, or memory would grow without end.
            self.flush().await?;
        }
        transaction.write_held()?;
        transaction.write_gathered().await?;
        let prepared = Box::new(prepare(&mut transaction)?);
        let (reply, answer) = oneshot::channel();
        self.upkeep()?.queue.commit(prepared, reply)?;
        let snapshot = answer.await.map_err(|_| stopped())??;
        // Up to here it says that its base is needed.
        drop(transaction);
        Ok(Committed { snapshot, temporary })
    }

    /// A new OID, never handed out before in this database.
    pub fn allocate_oid(&self) -> Oid {
        let mut block = self.oids.lock();
        if block.next >= block.end {
            match self.shared.manifest.reserve_oids(block.next) {
                Ok((next, end)) => *block = OidBlock { next, end },
                // The store cannot be written: what gets the number will not be committed either.
                Err(error) => tracing::error!(%error, "object identifiers could not be reserved"),
            }
        }
        let oid = block.next;
        block.next += 1;
        oid
    }

    /// Writes rows in memory to files, stores a checkpoint and unlinks the log before it.
    ///
    /// # Errors
    /// A file cannot be written; nothing has changed then.
    pub async fn flush(&self) -> Result<()> {
        self.flush_watched(Arc::default()).await
    }

    /// As [`Store::flush`]; says how far it is.
    ///
    /// # Errors
    /// A file cannot be written; nothing has changed then.
    pub async fn flush_watched(&self, progress: Arc<Progress>) -> Result<()> {
        self.maintain(move |upkeep| upkeep.flush(&progress)).await
    }

    /// How far the flush or compaction is that the background works on.
    pub fn background_progress(&self) -> Option<Arc<Progress>> {
        self.upkeep.as_ref()?.background.lock().as_ref().map(Arc::clone)
    }

    /// Merges small files and files with many deleted rows, of one relation or of all.
    ///
    /// # Errors
    /// A file cannot be read or written; nothing has changed then.
    pub async fn compact(&self, relation: Option<Oid>, progress: Arc<Progress>) -> Result<()> {
        self.maintain(move |upkeep| upkeep.compact(relation, true, &progress)).await
    }

    /// Ends background work and flushes. Transactions that are under way may still commit.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub async fn close(&self) -> Result<()> {
        let background = self.background.lock().take();
        self.maintain(move |upkeep| {
            drop(background);
            upkeep.flush(&Progress::default())
        })
        .await
    }

    /// Runs work on files away from the async threads.
    pub(super) async fn maintain<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Upkeep) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let upkeep = Arc::clone(self.upkeep()?);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return work(&upkeep) };
        let done = runtime.spawn_blocking(move || work(&upkeep)).await;
        done.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// A relation of a snapshot, for DataFusion. With `with_row_address` a last column `ctid`.
    pub fn table_provider(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        relation: &Arc<Relation>,
        with_row_address: bool,
    ) -> Arc<dyn TableProvider> {
        let schema = self.schema(relation, with_row_address);
        Arc::new(StoredTable::new(self, snapshot, relation, schema))
    }

    /// The schema of a relation's provider.
    pub fn schema(&self, relation: &Arc<Relation>, with_row_address: bool) -> SchemaRef {
        let mut schemas = self.schemas.lock();
        let entry = schemas.get(&(relation.oid, with_row_address));
        if let Some((known, schema)) = entry
            && Arc::ptr_eq(known, relation)
        {
            return Arc::clone(schema);
        }
        let schema = provider_schema(relation, with_row_address);
        if schemas.len() >= SCHEMAS_MAX {
            schemas.clear();
        }
        let entry = (Arc::clone(relation), Arc::clone(&schema));
        schemas.insert((relation.oid, with_row_address), entry);
        schema
    }

    /// Bytes of a relation's files and rows in memory.
    pub fn bytes_on_disk(&self, relation: Oid) -> u64 {
        let table = self.snapshot().table(relation);
        table.file_bytes()
    }

    /// Rows written to a relation since the store was opened.
    pub fn tally(&self, relation: Oid) -> Tally {
        self.shared.tallies.of(relation)
    }

    /// Use of an index since the store was opened.
    pub fn index_tally(&self, index: Oid) -> IndexTally {
        self.shared.tallies.of_index(index)
    }

    /// How many live rows a relation has in a snapshot.
    pub fn live_rows(&self, snapshot: &Snapshot, relation: Oid) -> u64 {
        snapshot.row_count(relation)
    }

    /// Makes the store's files known to DataFusion. Once for each runtime.
    ///
    /// # Errors
    /// The directory is gone.
    pub fn register(&self, runtime: &RuntimeEnv) -> Result<()> {
        let root = self.shared.directory.parent().unwrap_or(&self.shared.directory);
        let files = LocalFileSystem::new_with_prefix(root)
            .map_err(|error| Error::DataFusion(error.into()))?;
        runtime.register_object_store(self.url()?.as_ref(), Arc::new(files));
        Ok(())
    }

    pub(super) fn url(&self) -> Result<ObjectStoreUrl> {
        store_url(self.shared.options.database)
    }

    /// Path of a file below the root that is registered. It names the database: caches of
    /// DataFusion know files by their path.
    pub(super) fn object_path(&self, facts: &FileFacts) -> String {
        let name = self.shared.directory.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}/{}", facts.path())
    }

    pub(super) fn upkeep(&self) -> Result<&Arc<Upkeep>> {
        self.upkeep.as_ref().ok_or_else(stopped)
    }
}

impl Drop for Store {
    /// Waits for the threads: whoever opens the directory next finds it free.
    fn drop(&mut self) {
        drop(self.background.lock().take());
        drop(self.upkeep.take());
        if let Some(committer) = self.committer.take() {
            drop(committer.join());
        }
        self.shared.graveyard.empty();
    }
}

pub(super) fn stopped() -> Error {
    Error::ReadOnly { reason: "the store is closed".to_owned() }
}
