//! Chance that is the same everywhere: integers only, no floating point, no library's choice of
//! algorithm beyond ChaCha itself (RFC 8439, eight rounds).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A share of a whole as a fixed-point number: `ONE` is all of it.
pub(crate) type Share = u64;
/// The whole.
pub(crate) const ONE: Share = 1 << 32;

/// What is being drawn. Each topic has its own independent randomness, so that a new column in one
/// table leaves all other tables as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    Home = 1,
    Person,
    Together,
    Sources,
    Left,
    Mailbox,
    Contact,
    Account,
    Card,
    Order,
    Tracked,
    Product,
    Session,
    Device,
    Campaign,
    Send,
    Subscriber,
    Consent,
    Store,
    Taste,
}

/// A stream of random numbers that belongs to one thing: the person 17, the order 4711.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a thing: the same for the same seed, topic and number.
    pub(crate) fn new(seed: u64, topic: Topic, number: u64) -> Self {
        let mut key = [0; 32];
        let words = [seed, topic as u64, number, 0];
        for (place, word) in key.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A share in `0..ONE`.
    pub(crate) fn share(&mut self) -> Share {
        u64::from(self.0.next_u32())
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..limit`; `limit` is at most 2³².
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.share() * limit) >> 32
    }

    /// True that many times in a thousand.
    pub(crate) fn permille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One of the items, all equally likely; the default when there is none.
    pub(crate) fn one_of<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64) as usize;
        items.get(at).copied().unwrap_or_default()
    }

    /// A number that is small more often than not: half of the draws give 0, a quarter 1, ….
    pub(crate) fn halving(&mut self, limit: u64) -> u64 {
        u64::from(self.0.next_u32().trailing_zeros()).min(limit)
    }

    /// A rank in `0..count` of people by how much they buy: a fifth of them does three fifths.
    pub(crate) fn busy(&mut self, count: u64) -> u64 {
        let share = self.share();
        let cube = (((share * share) >> 32) * share) >> 32;
        (((share + 39 * cube) / 40) * count) >> 32
    }
}

/// One random fact about a thing, for those that are asked for often (`SplitMix64`).
pub(crate) fn fact(seed: u64, topic: Topic, number: u64) -> u64 {
    let mut bits = seed ^ (topic as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for word in [number, 0] {
        bits = bits.wrapping_add(word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
    }
    bits
}

/// A permutation of `0..count`, `count` below the prime: neighbours end far apart.
pub(crate) fn scattered(number: u64, count: u64) -> u64 {
    const PRIME: u64 = 2_654_435_761;
    (number * PRIME) % count.max(1)
}

/// Items with the chance of each.
#[derive(Debug, Default)]
pub(crate) struct Weighted<T> {
    items: Vec<T>,
    /// `ends[i]` is the sum of the weights of the items up to and with `i`.
    ends: Vec<u64>,
}

impl<T> Weighted<T> {
    /// Items with their weights.
    pub(crate) fn new(weighted: impl IntoIterator<Item = (T, u64)>) -> Self {
        let (mut items, mut ends, mut sum) = (Vec::new(), Vec::new(), 0);
        for (item, weight) in weighted {
            sum += weight;
            items.push(item);
            ends.push(sum);
        }
        Self { items, ends }
    }

    /// Items that stand from the most to the least frequent: the weight of the n-th is 1/(n + `flat`).
    pub(crate) fn ranked(items: impl IntoIterator<Item = T>, flat: u64) -> Self {
        let weight = |(rank, item)| (item, 1_000_000_000 / (rank as u64 + flat));
        Self::new(items.into_iter().enumerate().map(weight))
    }

    /// All items.
    #[cfg(test)]
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// One of them; `None` when there is none.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Option<&T> {
        let sum = self.ends.last().copied().unwrap_or_default();
        let point = ((u128::from(dice.share()) * u128::from(sum)) >> 32) as u64;
        self.items.get(self.ends.partition_point(|end| *end <= point))
    }
}
