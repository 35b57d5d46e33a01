//! Which snapshots transactions need: what older rewrites must still be known for.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts the transactions of each base version.
#[derive(Debug, Default)]
pub(super) struct Active(Mutex<BTreeMap<u64, usize>>);

impl Active {
    pub(super) fn enter(self: &Arc<Self>, version: u64) -> ActiveGuard {
        *self.0.lock().entry(version).or_insert(0) += 1;
        ActiveGuard { active: Arc::clone(self), version }
    }

    /// The oldest base that a transaction has.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.0.lock().keys().next().copied()
    }
}

/// Held by a transaction.
#[derive(Debug)]
pub(super) struct ActiveGuard {
    active: Arc<Active>,
    version: u64,
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        let mut versions = self.active.0.lock();
        if let Some(count) = versions.get_mut(&self.version) {
            *count -= 1;
            if *count == 0 {
                versions.remove(&self.version);
            }
        }
    }
}
