//! New evidence.

use super::changes::Changes;
use super::row::Row;
use super::settle::Batch;
use super::{Evidence, Graph, Identifier, Link, Node, Record};

/// Records whose identifiers' memory is asked for together.
const BLOCK: usize = 32;

impl Graph {
    /// Takes a batch of evidence; what is known already is skipped.
    pub fn apply(&mut self, evidence: &Evidence) -> Changes {
        let Evidence { identifiers, records, members, links } = evidence;
        let large = self.is_large(identifiers.len() + records.len() + links.len());
        if large {
            self.store.reserve(identifiers.len() + records.len(), members.len());
        }
        let new = identifiers.iter().map(|one| one.node).chain(records.iter().map(|one| one.node));
        self.store.extend_to(new.chain(members.iter().copied()).max().unwrap_or(0));
        let mut batch = Batch::default();
        for identifier in identifiers {
            self.take_identifier(identifier, large, &mut batch);
        }
        for block in records.chunks(BLOCK) {
            let named = |record: &Record| {
                let range = record.members.start as usize..record.members.end as usize;
                members.get(range).unwrap_or_default()
            };
            self.store.fetch(block.iter().flat_map(named));
            for record in block {
                self.take_record(record, named(record), large, &mut batch);
            }
        }
        for link in links {
            self.take_link(*link, &mut batch);
        }
        self.quarantine(&mut batch);
        if large { self.rebuild(batch) } else { self.settle(batch) }
    }

    /// Whether work on so many nodes had better be done on all at once.
    pub(super) fn is_large(&self, nodes: usize) -> bool {
        nodes > self.bulk && nodes > self.store.rows.len() / 4
    }

    fn take_identifier(&mut self, identifier: &Identifier, large: bool, batch: &mut Batch) {
        let node = identifier.node;
        let row = self.store.row(node);
        if node == 0 || row.is_known() {
            return;
        }
        let space = self.spaces.number(identifier.namespace);
        self.store.add_identifier(identifier, space);
        if row.head != 0 {
            // Records named it before it was introduced.
            self.count_late(node, batch);
            self.suspect(node, batch);
            batch.opened.extend(self.store.row(node).is_active().then_some(node));
        }
        if !large {
            self.await_component(node, batch);
        }
    }

    fn take_record(&mut self, record: &Record, members: &[Node], large: bool, batch: &mut Batch) {
        let node = record.node;
        if node == 0 || self.store.row(node).is_known() {
            return;
        }
        let flags = if record.standalone { Row::STANDALONE } else { 0 };
        self.store.add_record(node, members, flags);
        self.store.keys[node as usize] = record.key.0 as u64;
        for &member in members {
            self.suspect(member, batch);
        }
        if self.store.members(node).iter().any(|&member| self.store.row(member).is(Row::HEAVY)) {
            self.count_heavy(node, batch);
        }
        if !large {
            self.await_component(node, batch);
            batch.records.push(node);
        }
    }

    pub(super) fn take_link(&mut self, link: Link, batch: &mut Batch) {
        if link.a == link.b || link.a == 0 || link.b == 0 {
            return;
        }
        self.store.extend_to(link.a.max(link.b));
        if self.store.add_link(link) {
            if link.is_split() {
                self.splits.insert((link.a.min(link.b), link.a.max(link.b)));
            }
            batch.links.push(link);
        }
    }

    /// Makes an identifier a candidate when its cheap count passes the limit.
    fn suspect(&mut self, node: Node, batch: &mut Batch) {
        let row = self.store.rows[node as usize];
        if !row.is(Row::HEAVY) && self.may_exceed(row) {
            self.store.rows[node as usize].set(Row::HEAVY);
            batch.candidates.push(node);
        }
    }

    fn await_component(&mut self, node: Node, batch: &mut Batch) {
        self.isolate(node);
        self.labels.isolate(node);
        batch.singles.push(node);
        batch.links.extend(self.store.links(node));
    }
}
