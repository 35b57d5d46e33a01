//! What a store, its committer and its background work have in common.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::SystemTime;

use parking_lot::RwLock;
use tokio::sync::watch;

use super::active::{Active, ActiveGuard};
use super::brand_key::BrandKey;
use super::feed::Feed;
use super::file::Graveyard;
use super::foreign::Footers;
use super::key_index::KeyIndexes;
use super::keys::KeyHasher;
use super::manifest::{Facts, Manifest};
use super::part::PartId;
use super::row_cache::RowCache;
use super::snapshot::Snapshot;
use super::stitching::Identity;
use super::store::StoreOptions;
use super::tally::Tallies;
use super::value_indexes::ValueIndexes;
use crate::domains::Subject;

/// How many times the bytes that lead to a flush may be in memory before writers wait for it.
const MEMORY_SLACK: usize = 4;

/// State that readers, the committer and background work share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) opened_at: SystemTime,
    pub(super) options: StoreOptions,
    published: RwLock<Arc<Snapshot>>,
    /// Version of what is published, for those who wait for the next.
    pub(super) versions: watch::Sender<u64>,
    pub(super) active: Arc<Active>,
    pub(super) indexes: KeyIndexes,
    pub(super) graveyard: Arc<Graveyard>,
    /// Who is who.
    pub(super) identity: Arc<Identity>,
    pub(super) hash_key: [u8; 16],
    pub(super) brand_key: BrandKey,
    pub(super) manifest: Manifest,
    pub(super) tallies: Tallies,
    /// Decoded rows of files.
    pub(super) rows: RowCache,
    /// What is known of values.
    pub(super) values: ValueIndexes,
    /// Footers of files that foreign tables read.
    pub(super) footers: Footers,
    /// Whose rows commits change.
    pub(super) feed: Feed,
    next_part: AtomicU32,
    /// Bytes of rows in memory when they were last counted.
    memory_bytes: AtomicUsize,
}

impl Shared {
    pub(super) fn new(directory: PathBuf, options: StoreOptions, start: Start) -> Self {
        let rows = RowCache::new(options.row_cache_bytes);
        let values = ValueIndexes::new(options.value_index_bytes);
        Self {
            opened_at: SystemTime::now(),
            directory,
            options,
            rows,
            values,
            versions: watch::Sender::new(start.snapshot.version),
            published: RwLock::new(start.snapshot),
            active: Arc::default(),
            indexes: KeyIndexes::default(),
            graveyard: start.graveyard,
            identity: start.identity,
            hash_key: start.hash_key,
            brand_key: start.brand_key,
            manifest: start.manifest,
            tallies: Tallies::default(),
            footers: Footers::default(),
            feed: Feed::default(),
            next_part: AtomicU32::new(start.next_part),
            memory_bytes: AtomicUsize::new(0),
        }
    }

    pub(super) fn published(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.read())
    }

    /// The newest snapshot, and a guard that says that a transaction needs it. Both under one
    /// lock: nothing is forgotten between.
    pub(super) fn pinned(&self) -> (Arc<Snapshot>, ActiveGuard) {
        let published = self.published.read();
        (Arc::clone(&published), self.active.enter(published.version))
    }

    pub(super) fn publish(&self, snapshot: &Arc<Snapshot>) {
        *self.published.write() = Arc::clone(snapshot);
        self.versions.send_replace(snapshot.version);
    }

    pub(super) fn hasher(&self) -> KeyHasher {
        KeyHasher(self.hash_key)
    }

    /// Counts the bytes of rows in memory.
    pub(super) fn count_memory(&self) -> usize {
        let bytes = self.published().tables.values().map(|table| table.memory_bytes()).sum();
        self.memory_bytes.store(bytes, Ordering::Relaxed);
        bytes
    }

    /// Whether there is so much in memory that writers have to wait.
    pub(super) fn memory_is_full(&self) -> bool {
        self.memory_bytes.load(Ordering::Relaxed) / MEMORY_SLACK > self.options.memory_part_bytes
    }

    /// The first part number that is not used.
    pub(super) fn next_part(&self) -> PartId {
        self.next_part.load(Ordering::Relaxed)
    }

    /// Facts of the present state, for a checkpoint.
    pub(super) fn facts(&self) -> Facts {
        let given = |subject| u32::try_from(self.identity.nodes(subject).len()).unwrap_or(0);
        Facts {
            next_part: self.next_part(),
            nodes: Subject::ALL.map(given),
            ..Facts::new(self.hash_key, self.brand_key.clone())
        }
    }

    pub(super) fn allocate_part(&self) -> PartId {
        self.next_part.fetch_add(1, Ordering::Relaxed)
    }
}

/// What recovery found.
pub(super) struct Start {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) graveyard: Arc<Graveyard>,
    pub(super) identity: Arc<Identity>,
    pub(super) hash_key: [u8; 16],
    pub(super) brand_key: BrandKey,
    pub(super) next_part: PartId,
    pub(super) manifest: Manifest,
}
