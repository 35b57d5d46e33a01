//! Connected components: union by smaller node, so that a root is its component's oldest node.

use hashbrown::HashMap;

use super::row::Row;
use super::settle::Batch;
use super::{Graph, Node};

/// The root of a known node; halves the path on the way.
#[inline]
pub(super) fn find(rows: &mut [Row], mut node: Node) -> Node {
    loop {
        let parent = rows[node as usize].parent;
        if parent == node {
            return node;
        }
        let next = rows[parent as usize].parent;
        rows[node as usize].parent = next;
        node = next;
    }
}

/// The root of a known node.
pub(super) fn root(rows: &[Row], mut node: Node) -> Node {
    while rows[node as usize].parent != node {
        node = rows[node as usize].parent;
    }
    node
}

impl Graph {
    /// The component flags of a node that is alone.
    pub(super) fn alone(&self, row: Row) -> u32 {
        if !row.is_active() {
            return 0;
        }
        let mut flags = if row.is(Row::SEVERED) { Row::PARTED } else { 0 };
        if row.is(Row::STANDALONE) {
            flags |= Row::ANCHORED;
        }
        if row.is(Row::IDENTIFIER) {
            flags |= Row::ANCHORED;
            if self.spaces.per_customer(row.space()).is_some() {
                flags |= Row::LIMITED;
            }
        }
        flags
    }

    /// Makes `node` a component of its own.
    pub(super) fn isolate(&mut self, node: Node) {
        let row = self.store.row(node);
        let flags = self.alone(row);
        if flags & Row::LIMITED != 0 {
            self.counts.insert((node, row.space()), 1);
        }
        let row = &mut self.store.rows[node as usize];
        row.clear(Row::COMPONENT);
        row.set(flags);
        row.parent = node;
    }

    /// Unites the components of two active nodes.
    pub(super) fn join(&mut self, a: Node, b: Node, cause: Node, batch: &mut Batch) {
        let rows = &mut self.store.rows;
        let (a, b) = (find(rows, a), find(rows, b));
        if a == b {
            return;
        }
        let (winner, loser) = (a.min(b), a.max(b));
        let flags = rows[loser as usize].component();
        rows[loser as usize].parent = winner;
        let both = flags & rows[winner as usize].component();
        rows[winner as usize].set(flags);
        batch.absorbed.push((loser, cause));
        batch.check_splits |= both & Row::PARTED != 0;
        if flags & Row::LIMITED != 0 && self.add_counts(winner, loser) {
            self.store.rows[winner as usize].set(Row::CONTESTED);
        }
        if self.store.rows[winner as usize].is(Row::CONTESTED) {
            let lost = self.contests.remove(&loser).map(|contest| contest.parts);
            let parts = &mut self.contests.entry(winner).or_default().parts;
            parts.extend(lost.into_iter().flatten());
            batch.contested.push((winner, cause));
        }
    }

    /// Adds the loser's counts to the winner's; whether a limit is broken.
    fn add_counts(&mut self, winner: Node, loser: Node) -> bool {
        let mut broken = false;
        for &space in self.spaces.limited() {
            if let Some(more) = self.counts.remove(&(loser, space)) {
                let count = self.counts.entry((winner, space)).or_default();
                *count += more;
                broken |= self.spaces.per_customer(space).is_some_and(|limit| *count > limit);
            }
        }
        broken
    }

    pub(super) fn remove_counts(&mut self, root: Node) {
        for &space in self.spaces.limited() {
            self.counts.remove(&(root, space));
        }
    }

    /// Contests the components that hold both ends of a split.
    pub(super) fn check_splits(&mut self, batch: &mut Batch) {
        let mut together: HashMap<Node, Node> = HashMap::new();
        for &(a, b) in &self.splits {
            let rows = &mut self.store.rows;
            if !rows[a as usize].is_active() || !rows[b as usize].is_active() {
                continue;
            }
            let root = find(rows, a);
            if root == find(rows, b) && !rows[root as usize].is(Row::CONTESTED) {
                let cause = together.entry(root).or_insert(a);
                *cause = a.min(*cause);
            }
        }
        for (root, cause) in together {
            self.store.rows[root as usize].set(Row::CONTESTED);
            batch.contested.push((root, cause));
        }
    }
}
