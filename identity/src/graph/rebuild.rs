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
        self.isolate_all();
        self.connect_all(&before, &mut batch);
        self.count_limited(&mut batch);
        self.check_splits(&mut batch);
        self.label_all();
        let contested = batch.contested.clone();
        self.resolve_all(&mut batch);
        self.explain_all(&before, &contested, batch)
    }

    fn isolate_all(&mut self) {
        for node in 0..self.store.rows.len() {
            let row = self.store.rows[node];
            let flags = self.alone(row);
            let row = &mut self.store.rows[node];
            row.clear(Row::COMPONENT);
            row.set(flags);
            row.parent = node as Node;
        }
    }

    fn connect_all(&mut self, before: &Assignment, batch: &mut Batch) {
        let mut note = |loser: Node, cause: Node| {
            if before.nodes() > 0 && before.customer(loser) == loser {
                batch.absorbed.push((loser, cause));
            }
        };
        for record in 0..self.store.rows.len() as Node {
            let row = self.store.rows[record as usize];
            if !row.is(Row::RECORD) {
                continue;
            }
            let mut root = record;
            let (rows, members) = self.store.rows_and_members(row);
            for &member in members {
                if !rows[member as usize].is_active() {
                    continue;
                }
                let other = find(rows, member);
                if other != root {
                    note(root.max(other), record);
                    root = unite(rows, root, other);
                }
            }
        }
        let (rows, links) = self.store.rows_and_links();
        for link in links.filter(|link| !link.is_split()) {
            if !rows[link.a as usize].is_active() || !rows[link.b as usize].is_active() {
                continue;
            }
            let (a, b) = (find(rows, link.a), find(rows, link.b));
            if a != b {
                note(a.max(b), link.a);
                unite(rows, a, b);
            }
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

/// Unites two different roots; returns the one that stays.
#[inline]
fn unite(rows: &mut [Row], a: Node, b: Node) -> Node {
    let (winner, loser) = (a.min(b), a.max(b));
    let flags = rows[loser as usize].component();
    rows[loser as usize].parent = winner;
    rows[winner as usize].set(flags);
    winner
}
