//! Rows in the order of an index, one after the other: a merge of what is sorted by itself. A row
//! group is not opened before the walk comes to what its bounds allow.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use super::search::{Place, Search, Stop};
use super::sorted_block::SortedBlock;
use crate::storage::part::RowAddress;

/// A walk over the live rows of a search.
pub(super) struct Ordered<'a, 's> {
    search: &'s Search<'a>,
    descending: bool,
    heads: BinaryHeap<Head<'a>>,
}

/// A row, and where its key is.
pub(super) type Next = (RowAddress, Arc<SortedBlock>, usize);

/// The next row of a place, or what comes before it.
struct Head<'a> {
    descending: bool,
    /// No key of the place comes before it in the walk; `None`: nothing is known of them.
    bound: Option<Vec<u8>>,
    place: Place<'a>,
    /// What is left, in ascending order, once it has been opened.
    open: Option<(Arc<SortedBlock>, Vec<Range<usize>>)>,
}

impl<'a, 's> Ordered<'a, 's> {
    /// # Errors
    /// [`Stop`].
    pub(super) fn new(search: &'s Search<'a>, descending: bool) -> Result<Self, Stop> {
        let heads = search.places()?.into_iter().map(|place| {
            let bounds = place.bounds();
            let bound = match descending {
                false => bounds.map(|bounds| bounds.from().to_vec()),
                true => bounds.and_then(|bounds| bounds.to().map(<[u8]>::to_vec)),
            };
            Head { descending, bound, place, open: None }
        });
        let heads = heads.collect();
        Ok(Self { search, descending, heads })
    }

    /// The next live row, and its key: a place in a block.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn next(&mut self) -> Result<Option<Next>, Stop> {
        while let Some(head) = self.heads.pop() {
            let Head { place, open, .. } = head;
            let Some((block, mut left)) = open else {
                let block = self.search.block(&place)?;
                let left = self.search.within(&block);
                self.put_back(place, block, left);
                continue;
            };
            let Some(at) = self.taken(&mut left) else { continue };
            let row = block.rows(at..at + 1).first().copied();
            let found = row.filter(|row| place.is_live(*row));
            let found = found.map(|row| {
                let address = RowAddress { part: place.part(), row };
                (address, Arc::clone(&block), at)
            });
            self.put_back(place, block, left);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn taken(&self, left: &mut [Range<usize>]) -> Option<usize> {
        let mut rest = left.iter_mut().filter(|range| range.start < range.end);
        match self.descending {
            false => rest.next().and_then(Iterator::next),
            true => rest.next_back().and_then(DoubleEndedIterator::next_back),
        }
    }

    fn put_back(&mut self, place: Place<'a>, block: Arc<SortedBlock>, left: Vec<Range<usize>>) {
        let mut rest = left.iter().filter(|range| !range.is_empty());
        let at = match self.descending {
            false => rest.next().map(|range| range.start),
            true => rest.next_back().map(|range| range.end - 1),
        };
        if let Some(at) = at {
            let bound = Some(block.key(at).to_vec());
            let open = Some((block, left));
            self.heads.push(Head { descending: self.descending, bound, place, open });
        }
    }
}

impl Ord for Head<'_> {
    /// The greatest is the next. What is not open yet goes before what is: it may hold the same key.
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = match (&self.bound, &other.bound) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) if self.descending => one.cmp(other),
            (Some(one), Some(other)) => other.cmp(one),
        };
        keys.then_with(|| other.open.is_some().cmp(&self.open.is_some()))
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head<'_> {}
