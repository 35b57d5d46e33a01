//! The labels of some thousand nodes in a row, shared by all assignments that agree on them.

use std::sync::Arc;

use super::Node;

const BITS: u32 = 14;
/// Nodes on a page.
pub(super) const SIZE: usize = 1 << BITS;

/// From so many corrections on, a page is written anew; up to twice as many are kept, a
/// different number by page, so that not all pages of a graph are written by the same batch.
const CORRECTIONS: usize = if cfg!(test) { 4 } else { 256 };
/// Bits of a filter that tells most uncorrected places.
const FILTER: usize = 2048;

/// What is said of one node.
#[derive(Clone, Copy, Default)]
pub(super) struct Label {
    pub(super) customer: Node,
    /// The next node of the same customer, in a ring; 0 for unknown nodes.
    pub(super) next: Node,
}

/// Where a node is: its page, and its place on it.
pub(super) fn locate(node: Node) -> (usize, usize) {
    ((node >> BITS) as usize, node as usize & (SIZE - 1))
}

/// Written once; what changes while assignments share it is kept aside as corrections: copying
/// those is much cheaper than copying the page.
#[derive(Clone)]
pub(super) struct Page {
    written: Arc<Written>,
    /// Sorted by place.
    corrections: Vec<(u16, Label)>,
    filter: [u64; FILTER / 64],
}

#[derive(Clone)]
pub(super) struct Written {
    customers: Box<[Node]>,
    next: Box<[Node]>,
}

impl Default for Written {
    fn default() -> Self {
        let empty = || vec![0; SIZE].into_boxed_slice();
        Self { customers: empty(), next: empty() }
    }
}

impl Written {
    pub(super) fn get(&self, place: usize) -> Label {
        Label { customer: self.customers[place], next: self.next[place] }
    }

    pub(super) fn set(&mut self, place: usize, label: Label) {
        (self.customers[place], self.next[place]) = (label.customer, label.next);
    }
}

impl Page {
    pub(super) fn new(written: Written) -> Self {
        Self { written: Arc::new(written), corrections: Vec::new(), filter: [0; FILTER / 64] }
    }

    fn correction(&self, place: usize) -> Option<&Label> {
        let bit = place % FILTER;
        if self.filter[bit / 64] >> (bit % 64) & 1 == 0 {
            return None;
        }
        let found = self.corrections.binary_search_by_key(&(place as u16), |each| each.0);
        found.ok().map(|found| &self.corrections[found].1)
    }

    #[inline]
    pub(super) fn customer(&self, place: usize) -> Node {
        match self.correction(place) {
            Some(label) => label.customer,
            None => self.written.customers[place],
        }
    }

    pub(super) fn get(&self, place: usize) -> Label {
        self.correction(place).copied().unwrap_or_else(|| self.written.get(place))
    }

    /// Changes a label; `number` is the page's own.
    pub(super) fn set(&mut self, number: usize, place: usize, label: Label) {
        let many = CORRECTIONS + number * 37 % CORRECTIONS;
        let alone = Arc::get_mut(&mut self.written).is_some();
        if alone || self.corrections.len() >= many {
            self.write();
        }
        if let Some(written) = Arc::get_mut(&mut self.written) {
            return written.set(place, label);
        }
        let bit = place % FILTER;
        self.filter[bit / 64] |= 1 << (bit % 64);
        match self.corrections.binary_search_by_key(&(place as u16), |each| each.0) {
            Ok(found) => self.corrections[found].1 = label,
            Err(free) => self.corrections.insert(free, (place as u16, label)),
        }
    }

    /// Puts the corrections into the page.
    fn write(&mut self) {
        if !self.corrections.is_empty() {
            let written = Arc::make_mut(&mut self.written);
            for (place, label) in self.corrections.drain(..) {
                written.set(usize::from(place), label);
            }
            self.filter = [0; FILTER / 64];
        }
    }
}
