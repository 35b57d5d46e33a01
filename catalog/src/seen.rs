//! Values about which something was found out, by their hashes alone: what costs more than a hash is
//! not found out again for each row. It holds so many and forgets.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::ArrayRef;
use datafusion::common::hash_utils::{RandomState as Hasher, create_hashes};
use datafusion::error::Result;

/// A set of values, for several threads. Hashes have 64 bits and a seed of their own.
#[derive(Debug)]
pub struct SeenValues {
    seed: u64,
    slots: Vec<AtomicU64>,
}

impl SeenValues {
    /// Of so many values at most, eight bytes each.
    pub fn new(values_max: usize) -> Self {
        let slots = (0..values_max.max(1)).map(|_| AtomicU64::new(0)).collect();
        Self { seed: RandomState::new().hash_one(values_max), slots }
    }

    /// The hashes of an array's values; none is 0.
    ///
    /// # Errors
    /// The array's type has no hashes.
    pub fn hashes(&self, array: &ArrayRef) -> Result<Vec<u64>> {
        let mut hashes = vec![0; array.len()];
        let hasher = Hasher::with_seed(self.seed);
        create_hashes(std::slice::from_ref(array), &hasher, &mut hashes)?;
        hashes.iter_mut().for_each(|hash| *hash = (*hash).max(1));
        Ok(hashes)
    }

    /// Whether a value is in it.
    pub fn has(&self, hash: u64) -> bool {
        self.slot(hash).is_some_and(|one| one.load(Ordering::Relaxed) == hash)
    }

    /// Puts a value in, maybe in the place of another.
    pub fn keep(&self, hash: u64) {
        self.slot(hash).iter().for_each(|one| one.store(hash, Ordering::Relaxed));
    }

    fn slot(&self, hash: u64) -> Option<&AtomicU64> {
        self.slots.get(usize::try_from(hash % self.slots.len() as u64).unwrap_or(0))
    }
}
