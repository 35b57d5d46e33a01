//! Some rows of a part in the order of an index's columns.

use std::ops::Range;

use datafusion::arrow::row::Rows;

use super::sort_key::KeyRange;

/// Keys in order, and the row of each.
#[derive(Debug)]
pub(in crate::storage) struct SortedBlock {
    keys: Box<[u8]>,
    /// Where each key ends.
    ends: Box<[u32]>,
    rows: Box<[u32]>,
}

impl SortedBlock {
    /// Sorts keys of rows from `first`; `None`: they are too large to be worth it.
    pub(super) fn new(keys: &Rows, first: u32) -> Option<Self> {
        let key = |at: u32| keys.row(at as usize).data();
        let bytes: usize = keys.iter().map(|key| key.data().len()).sum();
        u32::try_from(bytes).ok()?;
        let mut order: Vec<(u128, u32)> =
            keys.iter().zip(0..).map(|(key, at)| (head(key.data()), at)).collect();
        order.sort_unstable_by(|(left, i), (right, j)| {
            left.cmp(right).then_with(|| key(*i).cmp(key(*j))).then(i.cmp(j))
        });
        let mut sorted = Vec::with_capacity(bytes);
        let mut ends = Vec::with_capacity(order.len());
        for (_, at) in &order {
            sorted.extend_from_slice(key(*at));
            ends.push(u32::try_from(sorted.len()).ok()?);
        }
        let rows = order.iter().map(|(_, at)| first + at).collect();
        Some(Self { keys: sorted.into(), ends: ends.into(), rows })
    }

    /// The key at a place of the order.
    pub(super) fn key(&self, at: usize) -> &[u8] {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.keys.get(start..end(at)).unwrap_or_default()
    }

    /// The rows at places of the order, by their number in the part.
    pub(super) fn rows(&self, places: Range<usize>) -> &[u32] {
        self.rows.get(places).unwrap_or_default()
    }

    /// The places of a range of keys.
    pub(super) fn places(&self, range: &KeyRange) -> Range<usize> {
        let from = self.first_from(&range.from);
        let to = range.to.as_ref().map_or(self.rows.len(), |to| self.first_from(to));
        from..to.max(from)
    }

    /// The first place whose key is not below.
    fn first_from(&self, bound: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle) < bound {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.keys.len() + (self.ends.len() + self.rows.len()) * size_of::<u32>()
    }
}

/// The first bytes of a key as a number: what most comparisons are decided by.
fn head(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = key.len().min(bytes.len());
    bytes[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(bytes)
}
