//! Rows whose node is that of a record: a set of identifiers, or more than them.

use clientele_identity::graph::{Key, Node, Record};
use hashbrown::HashMap;

use super::coded::Seen;
use super::gathered::Gathered;
use super::stitcher::Stitcher;
use crate::domains::Subject;

/// The records of some rows, before they have numbers.
#[derive(Default)]
pub(super) struct Records {
    /// Row, and place of its record.
    rows: Vec<(usize, usize)>,
    by_key: HashMap<u128, usize>,
    keys: Vec<Key>,
    /// The identifiers of one record after another.
    members: Vec<Node>,
    /// By record: where its identifiers end, and whether it is a customer by itself.
    ends: Vec<(usize, bool)>,
}

impl Records {
    /// Adds a row.
    pub(super) fn add(&mut self, row: usize, key: Key, members: &[Seen], standalone: bool) {
        let at = *self.by_key.entry(key.0).or_insert_with(|| {
            self.keys.push(key);
            self.members.extend(members.iter().map(|one| one.node));
            self.ends.push((self.members.len(), standalone));
            self.keys.len() - 1
        });
        self.rows.push((row, at));
    }

    /// Gives the records their numbers, and their rows; what is new is gathered.
    pub(super) fn number(
        &self,
        stitcher: &Stitcher,
        subject: Subject,
        gathered: &mut Gathered,
        nodes: &mut [Node],
    ) {
        let numbers = stitcher.identity.nodes(subject).intern(&self.keys);
        let known = stitcher.customers.of(subject);
        let new = gathered.of(subject);
        let mut start = 0;
        for ((key, node), (end, standalone)) in self.keys.iter().zip(&numbers).zip(&self.ends) {
            let members = self.members.get(start..*end).unwrap_or_default();
            start = *end;
            if !known.known(*node) {
                let (key, standalone) = (*key, *standalone);
                let record = Record { node: *node, key, members: 0..0, standalone };
                new.record(record, members, stitcher.source);
            }
        }
        for (row, at) in &self.rows {
            if let (Some(slot), Some(node)) = (nodes.get_mut(*row), numbers.get(*at)) {
                *slot = *node;
            }
        }
    }
}
