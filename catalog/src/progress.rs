//! How far long work is, for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// What is being done, bytes to be worked through, bytes and rows done.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<&'static str>,
    total: AtomicU64,
    done: AtomicU64,
    rows: AtomicU64,
}

impl Progress {
    /// The next phase begins; bytes and rows are counted from 0, as PostgreSQL does.
    pub fn enter(&self, phase: &'static str) {
        let mut current = self.phase.lock();
        *current = phase;
        [&self.total, &self.done, &self.rows]
            .iter()
            .for_each(|one| one.store(0, Ordering::Relaxed));
    }

    /// There is more to do.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Some of it is done.
    pub fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows are done.
    pub fn advance_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// The phase; empty before the first.
    pub fn phase(&self) -> &'static str {
        *self.phase.lock()
    }

    /// Bytes in all, 0 while nobody knows.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}
