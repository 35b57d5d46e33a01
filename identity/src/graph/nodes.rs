//! The numbers of identifiers and records: from content keys to dense nodes.

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Key, Node};

/// Shards are chosen by the top bits of a key, so that a bulk load works on one table at a time
/// that fits a processor's cache, and writers seldom wait for one another.
const SHARD_BITS: u32 = 10;
const SHARDS: usize = 1 << SHARD_BITS;

/// From so many keys on, a call sorts them by shard first.
const BULK: usize = 4096;
/// A bulk load is cut into pieces of so many keys: what it needs beside stays small.
const PIECE: usize = 1 << 21;
/// Probes whose memory is asked for together.
const BLOCK: usize = 32;

/// Marks a number that a bulk load has not given yet. Such entries are as good as absent.
const PENDING: Node = 1 << 31;

/// The map from [`Key`] to [`Node`], for many writers at once.
///
/// Numbers are given in the order in which keys first occur. An entry takes 16 bytes: the shard
/// and 96 stored bits tell keys apart, so that among 10⁹ keys two collide with probability 10⁻¹⁴.
pub struct Nodes {
    shards: Vec<Mutex<Shard>>,
    /// The next number. Held while keys are added; looking up takes no more than a shard.
    next: Mutex<Node>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self::new()
    }
}

impl Nodes {
    /// An empty map; the first number is 1.
    pub fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect();
        Self { shards, next: Mutex::new(1) }
    }

    /// The node of each key; keys without one get the next numbers, in order of first occurrence.
    ///
    /// # Panics
    /// If more than 2³¹ − 1 numbers are asked for.
    pub fn intern(&self, keys: &[Key]) -> Vec<Node> {
        if keys.len() >= BULK {
            let mut nodes = Vec::with_capacity(keys.len());
            for piece in keys.chunks(PIECE) {
                self.intern_bulk(piece, &mut nodes);
            }
            return nodes;
        }
        let mut nodes = keys.iter().map(|&key| self.find(key).unwrap_or(0)).collect::<Vec<_>>();
        if nodes.contains(&0) {
            let mut next = lock(&self.next);
            for (node, &key) in nodes.iter_mut().zip(keys).filter(|(node, _)| **node == 0) {
                *node = self.shard(key).add(key, *next);
                *next = after(*next, *node);
            }
        }
        nodes
    }

    /// The node of a key, if it has one.
    pub fn find(&self, key: Key) -> Option<Node> {
        let shard = self.shard(key);
        if shard.used == 0 {
            return None;
        }
        let node = node(shard.entries[shard.place(key)]);
        (node != 0 && node & PENDING == 0).then_some(node)
    }

    /// Takes back pairs that an earlier process gave out. Later numbers are larger than all.
    pub fn restore(&self, pairs: &[(Key, Node)]) {
        let mut next = lock(&self.next);
        for piece in pairs.chunks(PIECE) {
            let sorted = by_shard(piece.iter().map(|pair| pair.0));
            for (shard, group) in groups(&sorted) {
                let mut shard = lock(&self.shards[shard]);
                for &(key, position) in group {
                    shard.add(key, piece[position as usize].1);
                }
            }
            let largest = piece.iter().map(|pair| pair.1).max().unwrap_or(0);
            *next = (*next).max(largest.saturating_add(1));
        }
    }

    /// Makes all later numbers larger than `last`, for numbers that were given without a key.
    pub fn reserve(&self, last: Node) {
        let mut next = lock(&self.next);
        *next = (*next).max(last.saturating_add(1));
    }

    /// A node without a key.
    ///
    /// # Panics
    /// If more than 2³¹ − 1 numbers are asked for.
    pub fn fresh(&self) -> Node {
        let mut next = lock(&self.next);
        let node = *next;
        *next = after(node, node);
        node
    }

    /// How many numbers have been given, with and without a key.
    pub fn len(&self) -> usize {
        *lock(&self.next) as usize - 1
    }

    /// Whether no number has been given.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[shard_of(key)])
    }

    fn intern_bulk(&self, keys: &[Key], nodes: &mut Vec<Node>) {
        let sorted = by_shard(keys.iter().copied());
        let start = nodes.len();
        nodes.resize(start + keys.len(), 0);
        let nodes = &mut nodes[start..];

        // New keys enter their shard under the number of their discovery, shard by shard …
        let mut next = lock(&self.next);
        let mut added: Vec<Key> = Vec::new();
        for (shard, group) in groups(&sorted) {
            let mut shard = lock(&self.shards[shard]);
            for block in group.chunks(BLOCK) {
                shard.fetch(block);
                for &(key, position) in block {
                    let pending = PENDING | added.len() as Node;
                    let found = shard.add(key, pending);
                    nodes[position as usize] = found;
                    if found == pending {
                        added.push(key);
                    }
                }
            }
        }
        // … get their real one in order of occurrence …
        let mut given = vec![0; added.len()];
        for node in nodes.iter_mut().filter(|node| **node & PENDING != 0) {
            let number = &mut given[(*node & !PENDING) as usize];
            if *number == 0 {
                *number = *next;
                *next = after(*next, *next);
            }
            *node = *number;
        }
        // … and are visible to others from here on.
        let mut added = added.into_iter().zip(given).peekable();
        while let Some(&(key, _)) = added.peek() {
            let shard_number = shard_of(key);
            let mut shard = lock(&self.shards[shard_number]);
            while let Some((key, node)) = added.next_if(|pair| shard_of(pair.0) == shard_number) {
                let place = shard.place(key);
                shard.entries[place] = entry(key, node);
            }
        }
    }
}

/// The number that follows when `node` was offered as the next and `given` was the answer.
fn after(next: Node, given: Node) -> Node {
    let next = if given == next { next + 1 } else { next };
    assert!(next < PENDING, "more than 2^31 identifiers and records");
    next
}

/// A poisoned lock holds a table that is whole: no operation leaves one half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shard_of(key: Key) -> usize {
    (key.0 >> (128 - SHARD_BITS)) as usize
}

/// Open addressing with linear probing; 0 is an empty place.
#[derive(Default)]
struct Shard {
    entries: Vec<u128>,
    used: usize,
}

fn entry(key: Key, node: Node) -> u128 {
    key.0 << 32 | u128::from(node)
}

fn node(entry: u128) -> Node {
    entry as Node
}

impl Shard {
    fn home(&self, key: Key) -> usize {
        (key.0 >> 64) as usize & (self.entries.len() - 1)
    }

    /// Where the key is, or the empty place where it would be.
    fn place(&self, key: Key) -> usize {
        let mut place = self.home(key);
        loop {
            let entry = self.entries[place];
            if entry == 0 || entry >> 32 == key.0 << 32 >> 32 {
                return place;
            }
            place = (place + 1) & (self.entries.len() - 1);
        }
    }

    /// The node of the key, which becomes `node` unless it has one.
    fn add(&mut self, key: Key, new: Node) -> Node {
        if self.used * 4 >= self.entries.len() * 3 {
            self.grow();
        }
        let place = self.place(key);
        if self.entries[place] == 0 {
            self.entries[place] = entry(key, new);
            self.used += 1;
        }
        node(self.entries[place])
    }

    fn grow(&mut self) {
        let size = (self.entries.len() * 2).max(16);
        let old = std::mem::replace(&mut self.entries, vec![0; size]);
        for entry in old.into_iter().filter(|entry| *entry != 0) {
            let place = self.place(Key(entry >> 32));
            self.entries[place] = entry;
        }
    }

    /// Reads the places of several keys before they are needed: the misses overlap.
    fn fetch(&self, keys: &[(Key, u32)]) {
        if !self.entries.is_empty() {
            let homes = keys.iter().map(|&(key, _)| self.entries[self.home(key)] as u64);
            black_box(homes.fold(0, |sum: u64, home| sum ^ home));
        }
    }
}

/// The keys with their positions, sorted by shard; within a shard in order.
fn by_shard(keys: impl Iterator<Item = Key> + Clone) -> Vec<(Key, u32)> {
    let mut ends = vec![0_usize; SHARDS];
    let mut count = 0;
    for key in keys.clone() {
        ends[shard_of(key)] += 1;
        count += 1;
    }
    let mut start = 0;
    for end in &mut ends {
        start += std::mem::replace(end, start);
    }
    let mut sorted = vec![(Key(0), 0); count];
    for (position, key) in (0..).zip(keys) {
        let end = &mut ends[shard_of(key)];
        sorted[*end] = (key, position);
        *end += 1;
    }
    sorted
}

fn groups(sorted: &[(Key, u32)]) -> impl Iterator<Item = (usize, &[(Key, u32)])> {
    let groups = sorted.chunk_by(|one, other| shard_of(one.0) == shard_of(other.0));
    groups.map(|group| (shard_of(group[0].0), group))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn keys(count: usize, distinct: u64, seed: u64) -> Vec<Key> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let value = |_| Key::of_identifier(1, &random.random_range(0..distinct).to_string());
        (0..count).map(value).collect()
    }

    /// Small calls, bulk calls and mixtures give what a plain map gives.
    #[test]
    fn numbers_follow_first_occurrence() {
        for (count, distinct) in [(10, 3), (5_000, 100_000), (50_000, 20_000), (20_000, 7)] {
            let keys = keys(count, distinct, count as u64);
            let mut plain = HashMap::new();
            for &key in &keys {
                let next = plain.len() as Node + 1;
                plain.entry(key).or_insert(next);
            }
            for pieces in [vec![keys.len()], vec![1, 5_000, 10, 4_500], vec![4_096; 20]] {
                let nodes = Nodes::new();
                let mut rest = &keys[..];
                for piece in pieces.into_iter().chain([keys.len()]) {
                    let (piece, left) = rest.split_at(piece.min(rest.len()));
                    let expected = piece.iter().map(|key| plain[key]).collect::<Vec<_>>();
                    assert_eq!(nodes.intern(piece), expected);
                    rest = left;
                }
                assert_eq!(nodes.len(), plain.len());
                assert!(plain.iter().all(|(&key, &node)| nodes.find(key) == Some(node)));
                assert_eq!(nodes.find(Key(12_345)), None);
            }
        }
    }

    #[test]
    fn restored_pairs_keep_their_numbers() {
        let keys = keys(30_000, 25_000, 1);
        let (nodes, again) = (Nodes::new(), Nodes::new());
        let numbers = nodes.intern(&keys);
        let fresh = nodes.fresh();
        again.restore(&keys.iter().copied().zip(numbers.iter().copied()).collect::<Vec<_>>());
        again.reserve(fresh);
        assert_eq!(again.intern(&keys), numbers);
        assert_eq!(again.len(), nodes.len());
        assert_eq!(again.fresh(), fresh + 1);
    }

    #[test]
    fn writers_agree() {
        let nodes = Nodes::new();
        let keys = keys(60_000, 30_000, 2);
        let numbers = std::thread::scope(|scope| {
            let intern = |size: usize| {
                let (nodes, keys) = (&nodes, &keys);
                scope.spawn(move || {
                    keys.chunks(size).flat_map(|keys| nodes.intern(keys)).collect::<Vec<_>>()
                })
            };
            let writers = [intern(100), intern(10_000), intern(1), intern(60_000)];
            writers.map(|writer| writer.join().unwrap())
        });
        assert!(numbers.iter().all(|each| *each == numbers[0]));
        let distinct = keys.iter().collect::<std::collections::HashSet<_>>().len();
        assert_eq!(nodes.len(), distinct);
        assert_eq!(numbers[0].iter().max().copied(), Some(distinct as Node));
    }
}
