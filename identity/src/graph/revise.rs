//! What is taken back, blocked or ruled otherwise: all of it applies to the past as well.

use super::changes::Changes;
use super::row::Row;
use super::rules::Effect;
use super::settle::Batch;
use super::{Graph, Link, Node, Rules};

impl Graph {
    /// Puts other rules in force, for all evidence.
    pub fn set_rules(&mut self, rules: Rules) -> Changes {
        let effect = self.spaces.set(rules);
        if effect == Effect::Nothing {
            return Changes::default();
        }
        let mut batch = Batch::default();
        for (node, &row) in (0..).zip(&self.store.rows) {
            if row.is(Row::QUARANTINED) || self.may_exceed(row) {
                batch.candidates.push(node);
            }
        }
        self.quarantine(&mut batch);
        if effect == Effect::FanOut { self.settle(batch) } else { self.rebuild(batch) }
    }

    /// Closes identifiers whose values say nothing, or opens them again.
    pub fn set_blocked(&mut self, nodes: &[Node], blocked: bool) -> Changes {
        let mut batch = Batch::default();
        for &node in nodes {
            let row = self.store.row(node);
            if !row.is(Row::IDENTIFIER) || row.is(Row::BLOCKED) == blocked {
                continue;
            }
            if blocked {
                self.dissolve(node, node, &mut batch);
                self.store.rows[node as usize].set(Row::BLOCKED);
            } else {
                self.store.rows[node as usize].clear(Row::BLOCKED);
                self.open(node, &mut batch);
            }
        }
        self.settle(batch)
    }

    /// Takes back all links between two nodes, of whatever kind.
    pub fn unlink(&mut self, a: Node, b: Node) -> Changes {
        let mut batch = Batch::default();
        self.sunder(a, b, &mut batch);
        self.settle(batch)
    }

    /// Forgets the links between two nodes, and has the components that they hold taken apart.
    pub(super) fn sunder(&mut self, a: Node, b: Node, batch: &mut Batch) {
        if self.store.remove_links(a, b) {
            self.splits.remove(&(a.min(b), a.max(b)));
            self.dissolve(a, a, batch);
            self.dissolve(b, b, batch);
        }
    }

    /// Forgets nodes, the records that name them and the links of both: nothing of them stays.
    pub fn remove(&mut self, nodes: &[Node]) -> Changes {
        let mut batch = Batch::default();
        let mut victims = Vec::new();
        for &node in nodes.iter().filter(|node| (**node as usize) < self.store.rows.len()) {
            victims.push((node, node));
            victims.extend(self.store.records_of(node).map(|record| (record, node)));
        }
        victims.sort_unstable();
        victims.dedup_by_key(|victim| victim.0);
        for &(victim, cause) in &victims {
            self.dissolve(victim, cause, &mut batch);
        }
        for &(victim, _) in &victims {
            self.forget(victim, &mut batch);
        }
        self.quarantine(&mut batch);
        self.settle(batch)
    }

    fn forget(&mut self, victim: Node, batch: &mut Batch) {
        let others = self.store.links(victim).iter().map(|link| Link::other(link, victim));
        for other in others.collect::<Vec<_>>() {
            self.store.remove_links(victim, other);
            self.splits.remove(&(victim.min(other), victim.max(other)));
        }
        for member in self.store.members(victim).to_vec() {
            batch.recount.push(member);
        }
        self.heavy.remove(&victim);
        self.store.forget(victim);
        batch.forgotten.push(victim);
    }
}
