//! Numbers for keys, in the order in which they come.

use hashbrown::HashMap;

use crate::purchases::CustomerHasher;

/// Numbers for integers.
#[derive(Debug, Clone, Default)]
pub struct Numbering {
    numbers: HashMap<i64, u32, std::hash::BuildHasherDefault<CustomerHasher>>,
    keys: Vec<i64>,
}

impl Numbering {
    /// The number of a key, which is the next one if it is new.
    #[inline]
    pub fn number(&mut self, key: i64) -> u32 {
        let next = self.keys.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.keys.push(key);
        }
        number
    }

    /// The number of a key that came before.
    pub fn find(&self, key: i64) -> Option<u32> {
        self.numbers.get(&key).copied()
    }

    /// The keys by number.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }
}
