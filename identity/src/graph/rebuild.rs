//! The customers of all evidence, in a few passes over flat arrays.

use hashbrown::HashMap;

use super::assignment::{Assignment, Pass};
use super::changes::{Changes, Touched};
use super::forest::find;
use super::row::Row;
use super::settle::Batch;
use super::{Graph, Node};

impl Graph {
    /// Computes all components and labels anew. Costs less than settling a batch that touches
    /// much of the graph.
    pub(super) fn rebuild(&mut self, mut batch: Batch) -> Changes {
        let before = std::mem::take(&mut self.labels);
        self.counts.clear();
        self.contests.clear();
        batch.absorbed.clear();
        self.connect_all(&before, &mut batch);
        self.count_limited(&mut batch);
        self.check_splits(&mut batch);
        self.label_all();
        let contested = batch.contested.clone();
        self.resolve_all(&mut batch);
        self.explain_all(&before, &contested, batch)
    }

    /// Finds the components in arrays that stay in a processor's cache longer than the rows do, and
    /// puts them into the rows.
    fn connect_all(&mut self, before: &Assignment, batch: &mut Batch) {
        let mut forest = Forest::new(&self.store.rows);
        let mut note = |loser: Node, cause: Node| {
            if before.nodes() > 0 && before.customer(loser) == loser {
                batch.absorbed.push((loser, cause));
            }
        };
        let places = 0..self.store.rows.len() as Node;
        for record in places {
            let row = self.store.rows[record as usize];
            if !row.is(Row::RECORD) {
                continue;
            }
            let mut root = record;
            for &member in self.store.members(record) {
                if !forest.is_active(member) {
                    continue;
                }
                let other = forest.find(member);
                if other != root {
                    note(root.max(other), record);
                    root = forest.unite(root, other);
                }
            }
        }
        for link in self.store.all_links().filter(|link| !link.is_split()) {
            if !forest.is_active(link.a) || !forest.is_active(link.b) {
                continue;
            }
            let (a, b) = (forest.find(link.a), forest.find(link.b));
            if a != b {
                note(a.max(b), link.a);
                forest.unite(a, b);
            }
        }
        self.plant(forest);
    }

    /// Puts the components of a forest into the rows: parents, and flags at the roots.
    fn plant(&mut self, forest: Forest) {
        for (node, parent) in (0..).zip(forest.flat()) {
            let flags = self.alone(self.store.rows[node as usize]);
            let row = &mut self.store.rows[node as usize];
            row.clear(Row::COMPONENT);
            row.parent = parent;
            // A root is smaller than what hangs on it: its flags of before are gone already.
            self.store.rows[parent as usize].set(flags);
        }
    }

    fn count_limited(&mut self, batch: &mut Batch) {
        if self.spaces.limited().is_empty() {
            return;
        }
        for node in 0..self.store.rows.len() as Node {
            let row = self.store.rows[node as usize];
            if !row.is(Row::IDENTIFIER) || !row.is_active() {
                continue;
            }
            let Some(limit) = self.spaces.per_customer(row.space()) else { continue };
            let root = find(&mut self.store.rows, node);
            let count = self.counts.entry((root, row.space())).or_default();
            *count += 1;
            if *count > limit && !self.store.rows[root as usize].is(Row::CONTESTED) {
                self.store.rows[root as usize].set(Row::CONTESTED);
                batch.contested.push((root, node));
            }
        }
    }

    fn label_all(&mut self) {
        let mut pass = Pass::new(self.store.rows.len());
        for (node, row) in (0..).zip(&self.store.rows) {
            if row.is_known() {
                pass.label(node, row.parent, !row.is(Row::ANCHORED));
            }
        }
        self.labels = pass.finish();
    }

    fn explain_all(
        &self,
        before: &Assignment,
        contested: &[(Node, Node)],
        mut batch: Batch,
    ) -> Changes {
        if before.nodes() == 0 {
            batch.changes.explain(&[], &HashMap::new(), &self.labels);
            return batch.changes;
        }
        // What took components apart: by customer of before, else by contested root.
        let mut reasons = HashMap::new();
        for &(root, cause) in contested {
            reasons.insert(before.customer(root), cause);
        }
        for &(node, cause) in &batch.dissolving {
            reasons.insert(before.customer(node), cause);
        }
        let touched = self.labels.differences(before).into_iter().map(|(node, before)| Touched {
            node,
            before,
            cause: reasons.get(&before).copied().unwrap_or(before),
        });
        let touched = touched.collect::<Vec<_>>();
        let causes = batch.absorbed.iter().copied().collect::<HashMap<_, _>>();
        batch.changes.explain(&touched, &causes, &self.labels);
        batch.changes
    }
}

/// Components by smaller node, nothing else.
struct Forest {
    parents: Vec<Node>,
    /// A bit for each node that takes part.
    active: Vec<u64>,
}

impl Forest {
    fn new(rows: &[Row]) -> Self {
        let bits = |rows: &[Row]| {
            let bits = rows.iter().enumerate();
            bits.fold(0, |bits, (at, row)| bits | u64::from(row.is_active()) << at)
        };
        let active = rows.chunks(64).map(bits).collect();
        Self { parents: (0..rows.len() as Node).collect(), active }
    }

    #[inline]
    fn is_active(&self, node: Node) -> bool {
        self.active[node as usize / 64] >> (node % 64) & 1 == 1
    }

    #[inline]
    fn find(&mut self, mut node: Node) -> Node {
        loop {
            let parent = self.parents[node as usize];
            if parent == node {
                return node;
            }
            let next = self.parents[parent as usize];
            self.parents[node as usize] = next;
            node = next;
        }
    }

    /// Unites two different roots; returns the one that stays.
    #[inline]
    fn unite(&mut self, a: Node, b: Node) -> Node {
        let (winner, loser) = (a.min(b), a.max(b));
        self.parents[loser as usize] = winner;
        winner
    }

    /// The root of each node.
    fn flat(self) -> Vec<Node> {
        let mut parents = self.parents;
        for node in 0..parents.len() {
            // Parents are smaller: this one's is a root already.
            parents[node] = parents[parents[node] as usize];
        }
        parents
    }
}
