//! The customers that follow from a small batch: work grows with what it touches.
//!
//! A batch takes components apart where something that held them together is gone, unites what
//! the evidence connects, and then writes the labels of what moved: each absorbed component's
//! nodes once, whatever the number of unions.

use hashbrown::HashMap;

use super::changes::{Changes, Touched};
use super::forest::{find, root};
use super::row::Row;
use super::{Contest, Graph, Link, Node};

/// What one call works with.
#[derive(Default)]
pub(super) struct Batch {
    /// Identifiers whose quarantine may change.
    pub(super) candidates: Vec<Node>,
    /// Identifiers that lost a record: their exact count is void.
    pub(super) recount: Vec<Node>,
    /// Roots whose components are to be taken apart, and why.
    pub(super) dissolving: Vec<(Node, Node)>,
    /// Nodes that are known no more.
    pub(super) forgotten: Vec<Node>,
    /// Nodes that are alone and await their component: new, taken apart, or opened.
    pub(super) singles: Vec<Node>,
    /// Records whose members are to be united.
    pub(super) records: Vec<Node>,
    /// Identifiers that were opened: their records are to be united.
    pub(super) opened: Vec<Node>,
    /// Links to be tried.
    pub(super) links: Vec<Link>,
    /// Roots that lost their place, and why.
    pub(super) absorbed: Vec<(Node, Node)>,
    /// Roots that were or became contested, and why.
    pub(super) contested: Vec<(Node, Node)>,
    pub(super) check_splits: bool,
    pub(super) touched: Vec<Touched>,
    pub(super) changes: Changes,
}

impl Graph {
    /// Has the component of an active node taken apart; its nodes will await their new ones.
    pub(super) fn dissolve(&mut self, node: Node, cause: Node, batch: &mut Batch) {
        if self.store.row(node).is_active() {
            batch.dissolving.push((root(&self.store.rows, node), cause));
        }
    }

    /// Lets an identifier that was closed take part, if nothing else closes it.
    pub(super) fn open(&mut self, node: Node, batch: &mut Batch) {
        if self.store.row(node).is_active() {
            self.isolate(node);
            batch.singles.push(node);
            batch.opened.push(node);
            batch.links.extend(self.store.links(node));
        }
    }

    /// Brings components, labels and contests up to date with what the batch holds.
    pub(super) fn settle(&mut self, mut batch: Batch) -> Changes {
        let dissolved = self.dissolved(&mut batch);
        if self.is_large(dissolved.len()) {
            return self.rebuild(batch);
        }
        self.take_apart(dissolved, &mut batch);
        self.unite(&mut batch);
        if batch.check_splits {
            self.check_splits(&mut batch);
        }
        self.label(&mut batch);
        self.resolve_all(&mut batch);
        let causes = batch.absorbed.iter().copied().collect::<HashMap<_, _>>();
        batch.changes.explain(&batch.touched, &causes, &self.labels);
        batch.changes
    }

    /// The nodes of the components to be taken apart, with the cause.
    fn dissolved(&self, batch: &mut Batch) -> Vec<(Node, Node)> {
        let mut nodes = Vec::new();
        batch.dissolving.sort_unstable();
        batch.dissolving.dedup_by_key(|dissolving| dissolving.0);
        for &(root, cause) in &batch.dissolving {
            let alone = Contest::default();
            let contest = self.contests.get(&root).unwrap_or(&alone);
            let others = contest.parts.iter().copied().filter(|part| *part != root);
            let rings = [root].into_iter().chain(others).flat_map(|part| self.labels.ring(part));
            nodes.extend(rings.map(|node| (node, cause)));
        }
        nodes
    }

    fn take_apart(&mut self, nodes: Vec<(Node, Node)>, batch: &mut Batch) {
        for &(root, _) in &batch.dissolving {
            self.contests.remove(&root);
            self.remove_counts(root);
        }
        for (node, cause) in nodes {
            let before = self.labels.customer(node);
            if before != 0 {
                batch.touched.push(Touched { node, before, cause });
            }
            self.isolate(node);
            self.labels.isolate(node);
            batch.singles.push(node);
            if self.store.row(node).is(Row::RECORD) {
                batch.records.push(node);
            }
            batch.links.extend(self.store.links(node));
        }
        for &node in &batch.forgotten {
            self.labels.forget(node);
        }
    }

    fn unite(&mut self, batch: &mut Batch) {
        for record in std::mem::take(&mut batch.records) {
            self.unite_record(record, batch);
        }
        for identifier in std::mem::take(&mut batch.opened) {
            if !self.store.row(identifier).is_active() {
                continue;
            }
            let records = self.store.records_of(identifier).collect::<Vec<_>>();
            for record in records {
                self.join(identifier, record, identifier, batch);
            }
        }
        for link in std::mem::take(&mut batch.links) {
            self.unite_link(&link, batch);
        }
    }

    fn unite_record(&mut self, record: Node, batch: &mut Batch) {
        for place in 0..self.store.members(record).len() {
            let member = self.store.members(record)[place];
            if self.store.row(member).is_active() {
                self.join(record, member, record, batch);
            }
        }
    }

    fn unite_link(&mut self, link: &Link, batch: &mut Batch) {
        let active = |node| self.store.row(node).is_active();
        if !active(link.a) || !active(link.b) {
            return;
        }
        if link.is_split() {
            return self.sever(link, batch);
        }
        self.join(link.a, link.b, link.a, batch);
        // A link within a contested component may change what is believed first.
        let root = find(&mut self.store.rows, link.a);
        if self.store.rows[root as usize].is(Row::CONTESTED) {
            batch.contested.push((root, link.a));
        }
    }

    fn sever(&mut self, link: &Link, batch: &mut Batch) {
        let [a, b] = [link.a, link.b].map(|end| find(&mut self.store.rows, end));
        self.store.rows[a as usize].set(Row::PARTED);
        self.store.rows[b as usize].set(Row::PARTED);
        if a == b {
            self.store.rows[a as usize].set(Row::CONTESTED);
            batch.contested.push((a, link.a));
        }
    }

    /// Labels what moved to other components. Contested ones only gather their parts.
    fn label(&mut self, batch: &mut Batch) {
        for &(loser, cause) in &batch.absorbed {
            let root = find(&mut self.store.rows, loser);
            if self.store.rows[root as usize].is(Row::CONTESTED) {
                self.contests.entry(root).or_default().parts.push(loser);
                batch.contested.push((root, cause));
                continue;
            }
            let customer = self.label_root(root);
            let before = self.labels.customer(loser);
            if before != 0 {
                batch.touched.push(Touched { node: loser, before, cause });
            }
            self.labels.relabel(loser, customer);
            self.labels.splice(loser, root);
        }
        for &node in &batch.singles {
            let row = self.store.row(node);
            if row.is_active() && row.parent == node && !row.is(Row::CONTESTED) {
                self.label_root(node);
            }
        }
    }

    /// Gives an uncontested component that has become somebody its label, and returns it.
    fn label_root(&mut self, root: Node) -> Node {
        let anchored = self.store.rows[root as usize].is(Row::ANCHORED);
        let customer = if anchored { root } else { 0 };
        if self.labels.customer(root) != customer {
            self.labels.relabel(root, customer);
        }
        customer
    }
}
