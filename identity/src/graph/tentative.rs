//! What evidence would say, before it is committed.

use hashbrown::HashSet;

use super::row::Row;
use super::settle::Batch;
use super::{Evidence, Graph, Link, Node};

/// What evidence is about to change.
struct Before {
    /// Nodes that the graph has no evidence of, the last first, and what it knows of them.
    nodes: Vec<(Node, Row)>,
    /// Pairs of which something is said, and what was said of them.
    pairs: Vec<((Node, Node), Vec<Link>)>,
}

impl Graph {
    /// Takes evidence, and takes back all links between pairs of nodes, for as long as a question
    /// lasts; then the graph is as it was.
    pub fn tentatively<T>(
        &mut self,
        evidence: &Evidence,
        unlinked: &[(Node, Node)],
        ask: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let nodes = self.unknown(evidence);
        let linked = evidence.links.iter().map(|link| (link.a, link.b));
        let pairs: HashSet<_> =
            linked.chain(unlinked.iter().copied()).map(|(a, b)| (a.min(b), a.max(b))).collect();
        let pairs = pairs.into_iter().map(|pair| (pair, self.store.links_between(pair)));
        let before = Before { nodes, pairs: pairs.collect() };
        for (a, b) in unlinked {
            self.unlink(*a, *b);
        }
        self.apply(evidence);
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

    fn withdraw(&mut self, before: &Before) {
        let mut batch = Batch::default();
        for &(node, _) in &before.nodes {
            self.dissolve(node, node, &mut batch);
        }
        for ((a, b), links) in &before.pairs {
            self.sunder(*a, *b, &mut batch);
            links.iter().for_each(|link| self.take_link(*link, &mut batch));
        }
        for &(node, row) in &before.nodes {
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
