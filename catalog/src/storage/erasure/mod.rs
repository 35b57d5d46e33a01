//! Erasure: a person leaves the database (GDPR art. 17).
//!
//! The logical part is a transaction like any other: [`Store::victims`] says which nodes are the
//! person's, [`Store::rows_of_nodes`] where rows with them are, [`Transaction::forget`] has the
//! committer take the nodes out of the graph. From that commit on no snapshot has the person.
//! A transaction that began before and writes the person's rows is refused at its commit.
//!
//! [`Tombstones`] are keyed hashes of the identifiers: rows that have one are held back wherever
//! rows enter ([`Transaction::insert`], [`BulkWriter`]).
//!
//! The physical part is [`Store::purge`]: files, log and definitions are written anew, then
//! everything is searched.
//!
//! [`Store::purge`]: super::Store::purge
//! [`Store::rows_of_nodes`]: super::Store::rows_of_nodes
//! [`Store::victims`]: super::Store::victims
//! [`Transaction::forget`]: super::Transaction::forget
//! [`Transaction::insert`]: super::Transaction::insert
//! [`BulkWriter`]: super::BulkWriter

mod held;
mod journal;
mod kept;
mod needles;
mod purge;
mod redacted;
mod rewritten;
mod rows;
mod scan;
mod since;
mod thinned;
mod tombstones;
mod victims;

pub(super) use held::{Gate, Held};
pub use journal::{FileProof, Rewritten};
pub(super) use needles::back_up;
pub use purge::Searched;
pub use scan::Scanned;
pub(super) use since::Erased;
pub use tombstones::{Tombstone, Tombstones};
pub use victims::{Scope, Victims};

/// Does the same on each processor, and gives the results.
fn on_processors<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..count).map(|_| scope.spawn(&work)).collect();
        let own = work();
        let others = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect()
    })
}
