//! How often something is said of a customer, where and when.

use datafusion::common::HashMap;

/// First time of what has no time; its last time is `i64::MIN`.
pub(super) const NEVER_FIRST: i64 = i64::MAX;

/// The source of values that were pinned.
pub(super) const PINNED: u16 = u16::MAX;

/// Entries that are added before the first compaction.
const ENTRIES_MIN: usize = 1 << 18;

/// One value of one customer in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) customer: u32,
    /// Place in [`Values`]; 0 where rows themselves are counted.
    pub(super) value: u32,
    pub(super) source: u16,
    pub(super) count: u32,
    /// Microseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Entry {
    fn key(&self) -> (u32, u32, u16) {
        (self.customer, self.value, self.source)
    }

    fn absorb(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Entries, one for each customer, value and source once it is finished.
///
/// They are appended and sorted now and then: a sort goes through memory in order, a hash table
/// does not.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: Vec<Entry>,
    /// So many come first that are sorted and different.
    sorted: usize,
}

impl Tally {
    pub(super) fn add(&mut self, entry: Entry) {
        if self.sorted < self.entries.len()
            && let Some(last) = self.entries.last_mut()
            && last.key() == entry.key()
        {
            last.absorb(&entry);
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= (2 * self.sorted).max(ENTRIES_MIN) {
            self.compact();
        }
    }

    fn compact(&mut self) {
        self.entries.sort_unstable_by_key(Entry::key);
        self.entries.dedup_by(|later, earlier| {
            let same = later.key() == earlier.key();
            if same {
                earlier.absorb(later);
            }
            same
        });
        self.sorted = self.entries.len();
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    /// The entries by customer, value and source.
    pub(super) fn finish(mut self) -> Vec<Entry> {
        self.compact();
        self.entries
    }
}

/// Different values, numbered.
#[derive(Debug, Default)]
pub(super) struct Values {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    bytes: usize,
}

impl Values {
    /// The number of a value.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        // Twice the text, and what stands beside it in the table and the list.
        self.bytes += 2 * text.len() + 64;
        number
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The values by number.
    pub(super) fn finish(self) -> Vec<Box<str>> {
        self.texts
    }
}

/// The entries of one customer after another.
#[derive(Debug)]
pub(super) struct Walk {
    entries: Vec<Entry>,
    at: usize,
}

impl Walk {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self { entries, at: 0 }
    }

    /// The customer whose entries come next.
    pub(super) fn customer(&self) -> Option<u32> {
        self.entries.get(self.at).map(|entry| entry.customer)
    }

    /// The entries of a customer; customers are asked for in ascending order.
    pub(super) fn take(&mut self, customer: u32) -> &[Entry] {
        let rest = self.entries.get(self.at..).unwrap_or_default();
        let skipped = rest.iter().take_while(|entry| entry.customer < customer).count();
        let start = self.at + skipped;
        let own = rest.iter().skip(skipped).take_while(|entry| entry.customer == customer).count();
        self.at = start + own;
        self.entries.get(start..self.at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_arrival_does_not_matter() {
        let entry = |number: u32| Entry {
            customer: number % 7,
            value: number % 3,
            source: (number % 2) as u16,
            count: 1,
            first: i64::from(number),
            last: i64::from(number),
        };
        let entries = |numbers: &mut dyn Iterator<Item = u32>| {
            let mut tally = Tally::default();
            numbers.for_each(|number| tally.add(entry(number)));
            tally.finish()
        };
        let there = entries(&mut (0..600_000));
        assert_eq!(there, entries(&mut (0..600_000).rev()));
        assert_eq!(there.len(), 7 * 3 * 2);
        assert_eq!(there.iter().map(|one| one.count).sum::<u32>(), 600_000);
        let mut walk = Walk::new(there);
        assert_eq!(walk.take(3).len(), 6);
        assert_eq!(walk.customer(), Some(4));
    }
}
