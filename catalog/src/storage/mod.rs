//! Storage: the rows of one database.
//!
//! A [`Store`] holds one database in one directory. Its state is a [`Snapshot`]: definitions and
//! rows of one instant, immutable and shared. A table's rows are in *parts*: memory parts hold
//! Arrow batches that are in the write-ahead log and not yet in a file, file parts are immutable
//! Parquet files. A row's address is its part and its row number there; deleted rows are a bitmap
//! beside the part; an UPDATE is a delete and an insert.
//!
//! Data enter through a [`Transaction`]: it gathers changes, [`Store::commit`] hands them to the
//! committer, which validates them against what was committed since (first committer wins),
//! writes one log record for each and one `fdatasync` for all that wait, and publishes the next
//! snapshot. The flusher turns memory parts into files, the compactor merges files; both go
//! through the committer, too. Data leave through [`Store::table_provider`], an ordinary union of
//! a memory source and a Parquet source, through [`Store::lookup`], which answers a unique key
//! from the key index, and through [`Store::index_rows`], which answers conditions and orders from
//! an [`index`]. Foreign tables store nothing here: [`Store::foreign_rows`] reads files of others.
//!
//! ```text
//! catalog.redb           definitions, manifests, delete bitmaps, log position: the last checkpoint
//! log/<n>.log            segments of the write-ahead log since then
//! files/<relation>/<part>.parquet
//! ```

mod active;
mod arrays;
mod backup;
mod brand_key;
mod bulk;
mod check;
mod commit;
mod compact;
mod deferred;
mod delta;
pub(crate) mod disk;
mod entry_reader;
mod erasure;
mod feed;
mod file;
mod flush;
mod foreign;
mod index;
mod interval_expr;
mod key_index;
mod keys;
mod log;
mod lookup;
mod manifest;
mod own_keys;
mod part;
mod prepare;
mod provider;
mod prune;
mod reader;
mod recovery;
mod references;
mod row_cache;
mod scan_files;
mod shared;
mod snapshot;
mod stitching;
mod store;
mod stored;
mod subject_rows;
mod tally;
mod temporary;
mod text_starts;
mod transaction;
mod upkeep;
mod value_indexes;
mod writer;

pub use brand_key::{BrandKey, hex, sha256, unhex, verify};
pub use bulk::BulkWriter;
pub use check::CheckReport;
pub(crate) use check::check_definitions;
pub use delta::Published;
pub use erasure::{FileProof, Rewritten, Scanned, Scope, Searched, Tombstone, Tombstones, Victims};
pub use feed::Touched;
pub use file::{ColumnRange, FileEntry, FileFacts};
pub use foreign::{
    FileColumn, Importable, Listings, SeenFiles, columns_of, foreign_moved_to, foreign_relation,
    importable,
};
pub use index::{Answer, Condition, IndexOrder, ProbeByIndex, Question, Test};
pub use lookup::Lookup;
pub use part::{FilePart, MemoryBatch, MemoryPart, PartId, RowAddress, TableData};
pub use provider::{
    ORIGIN_KEY, ROW_ADDRESS, moved_to, provider_schema, same_rows, stored_relation, stored_rows,
};
pub use references::Orphans;
pub use snapshot::Snapshot;
pub use stitching::{Customers, Event, FirstSight, NodeRows, Placeholders, Proposal, Said};
pub use store::{Committed, Store, StoreOptions};
pub use tally::{IndexTally, Tally};
pub use temporary::TemporarySpace;
pub use transaction::{Savepoint, Transaction};

#[cfg(test)]
mod tests;
