//! Numbers for keys, in the order in which they come.

use hashbrown::HashMap;

use crate::purchases::CustomerHasher;

/// Keys below this are found without a hash: catalogues are numbered from 1.
const DENSE: usize = 1 << 20;
/// No number yet.
const NONE: u32 = u32::MAX;

/// Numbers for integers.
#[derive(Debug, Clone, Default)]
pub struct Numbering {
    /// By key, as far as there are any.
    dense: Vec<u32>,
    numbers: HashMap<i64, u32, std::hash::BuildHasherDefault<CustomerHasher>>,
    keys: Vec<i64>,
}

impl Numbering {
    /// The number of a key, which is the next one if it is new.
    #[inline]
    pub fn number(&mut self, key: i64) -> u32 {
        match usize::try_from(key).ok().and_then(|place| self.dense.get(place)) {
            Some(number) if *number != NONE => *number,
            _ => self.other(key),
        }
    }

    fn other(&mut self, key: i64) -> u32 {
        let next = self.keys.len() as u32;
        let number = match usize::try_from(key).ok().filter(|place| *place < DENSE) {
            Some(place) => {
                if place >= self.dense.len() {
                    self.dense.resize(place + 1, NONE);
                }
                self.dense[place] = next;
                next
            }
            None => *self.numbers.entry(key).or_insert(next),
        };
        if number == next {
            self.keys.push(key);
        }
        number
    }

    /// The number of a key that came before.
    pub fn find(&self, key: i64) -> Option<u32> {
        match usize::try_from(key).ok().filter(|place| *place < DENSE) {
            Some(place) => self.dense.get(place).copied().filter(|number| *number != NONE),
            None => self.numbers.get(&key).copied(),
        }
    }

    /// The keys by number.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_coming() {
        let keys = [7, -7, 1 << 40, 0, DENSE as i64, 7, 3, 1 << 40];
        let mut numbering = Numbering::default();
        let numbers: Vec<u32> = keys.iter().map(|key| numbering.number(*key)).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 0, 5, 2]);
        assert_eq!(numbering.keys(), &[7, -7, 1 << 40, 0, DENSE as i64, 3]);
        assert_eq!(numbering.find(3), Some(5));
        assert_eq!([numbering.find(4), numbering.find(-8)], [None, None]);
    }
}
