//! What evidence would say, before it is committed.

use hashbrown::HashSet;

use super::row::Row;
use super::settle::Batch;
use super::{Evidence, Graph, Node};

impl Graph {
    /// Takes evidence for as long as a question lasts; then the graph is as it was. Links in the
    /// evidence are left aside.
    pub fn tentatively<T>(&mut self, evidence: &Evidence, ask: impl FnOnce(&Self) -> T) -> T {
        let before = self.unknown(evidence);
        self.take(evidence, &[]);
        let answer = ask(self);
        self.withdraw(&before);
        answer
    }

    /// The nodes that the graph has no evidence of, the last first, and what it knows of them: other
    /// records or links may name them already.
    fn unknown(&self, evidence: &Evidence) -> Vec<(Node, Row)> {
        let identifiers = evidence.identifiers.iter().map(|one| one.node);
        let all = identifiers.chain(evidence.records.iter().map(|one| one.node));
        let mut seen = HashSet::new();
        let new = all.map(|node| (node, self.store.row(node)));
        let new = new.filter(|(node, row)| *node != 0 && !row.is_known() && seen.insert(*node));
        let mut new: Vec<(Node, Row)> = new.collect();
        new.reverse();
        new
    }

    fn withdraw(&mut self, before: &[(Node, Row)]) {
        let mut batch = Batch::default();
        for &(node, _) in before {
            self.dissolve(node, node, &mut batch);
        }
        for &(node, row) in before {
            // What was seen with it by records that stay has one neighbour less.
            for record in self.store.records_of(node) {
                batch.recount.extend_from_slice(self.store.members(record));
            }
            batch.recount.extend(self.store.withdraw(node, row));
            self.heavy.remove(&node);
            batch.forgotten.push(node);
        }
        self.quarantine(&mut batch);
        self.settle(batch);
    }
}
