//! The customers of all nodes, as they stand at one moment.

use std::sync::Arc;

use super::Node;
use super::page::{Label, Page, SIZE, Written, locate};

/// Which customer each node belongs to. Immutable; clones share all of it, and later ones what
/// did not change.
#[derive(Clone, Default)]
pub struct Assignment {
    pages: Vec<Arc<Page>>,
    nodes: usize,
}

impl Assignment {
    /// The customer of a node, which is the smallest node of that customer; 0 if it has none.
    #[inline]
    pub fn customer(&self, node: Node) -> Node {
        let (page, place) = locate(node);
        self.pages.get(page).map_or(0, |page| page.customer(place))
    }

    /// Whether the graph has evidence of the node.
    pub fn known(&self, node: Node) -> bool {
        self.label(node).next != 0
    }

    /// The nodes of a customer in ascending order; empty if there is no such customer.
    pub fn members(&self, customer: Node) -> Vec<Node> {
        if customer == 0 || self.customer(customer) != customer {
            return Vec::new();
        }
        let mut members = self.ring(customer).collect::<Vec<_>>();
        members.sort_unstable();
        members
    }

    /// Replaces `out` by the customers of `nodes`; 0 for what is no node.
    pub fn gather(&self, nodes: &[i64], out: &mut Vec<i64>) {
        let customer = |&node| Node::try_from(node).map_or(0, |node| self.customer(node));
        out.clear();
        out.extend(nodes.iter().map(|node| i64::from(customer(node))));
    }

    /// How many nodes are known.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// All customers in ascending order.
    pub fn customers(&self) -> impl Iterator<Item = Node> {
        let all = 1..(self.pages.len() * SIZE) as Node;
        all.filter(|node| self.customer(*node) == *node)
    }

    /// The nodes whose customer is not that of `before`: node, customer before, customer now; 0 for
    /// none. Pages that both share are not looked at.
    pub fn changes_since(&self, before: &Self) -> Vec<(Node, Node, Node)> {
        let mut changes = Vec::new();
        for number in 0..self.pages.len().max(before.pages.len()) {
            let (old, new) = (before.pages.get(number), self.pages.get(number));
            if old.zip(new).is_some_and(|(old, new)| Arc::ptr_eq(old, new)) {
                continue;
            }
            for place in 0..SIZE {
                let of = |page: Option<&Arc<Page>>| page.map_or(0, |page| page.customer(place));
                let (was, is) = (of(old), of(new));
                if was != is {
                    changes.push(((number * SIZE + place) as Node, was, is));
                }
            }
        }
        changes
    }

    fn label(&self, node: Node) -> Label {
        let (page, place) = locate(node);
        self.pages.get(page).map_or_else(Label::default, |page| page.get(place))
    }

    /// The nodes that share a ring with `start`: those of its customer, and a lone node itself.
    pub(super) fn ring(&self, start: Node) -> impl Iterator<Item = Node> {
        let mut node = start;
        std::iter::from_fn(move || {
            let this = node;
            node = self.label(this).next;
            if node == start {
                node = 0;
            }
            (this != 0).then_some(this)
        })
    }

    /// The nodes whose customer differs from that of `before`, if they had one; with that one.
    pub(super) fn differences(&self, before: &Self) -> Vec<(Node, Node)> {
        let all = 1..(before.pages.len() * SIZE) as Node;
        let pairs = all.map(|node| (node, before.customer(node)));
        pairs.filter(|&(node, old)| old != 0 && old != self.customer(node)).collect()
    }

    fn set(&mut self, node: Node, change: impl FnOnce(&mut Label)) {
        let (number, place) = locate(node);
        let page = Arc::make_mut(&mut self.pages[number]);
        let mut label = page.get(place);
        change(&mut label);
        page.set(number, place, label);
    }

    /// Makes `node` a known node that is alone and nobody.
    pub(super) fn isolate(&mut self, node: Node) {
        let (page, _) = locate(node);
        while page >= self.pages.len() {
            self.pages.push(Arc::new(Page::new(Written::default())));
        }
        self.nodes += usize::from(!self.known(node));
        self.set(node, |label| *label = Label { customer: 0, next: node });
    }

    /// Makes `node` unknown. It must be alone.
    pub(super) fn forget(&mut self, node: Node) {
        if self.known(node) {
            self.set(node, |label| *label = Label::default());
            self.nodes -= 1;
        }
    }

    pub(super) fn set_customer(&mut self, node: Node, customer: Node) {
        self.set(node, |label| label.customer = customer);
    }

    /// Gives every node of the ring of `start` its customer.
    pub(super) fn relabel(&mut self, start: Node, customer: Node) {
        let mut node = start;
        loop {
            let mut next = 0;
            self.set(node, |label| {
                label.customer = customer;
                next = label.next;
            });
            node = next;
            if node == start {
                return;
            }
        }
    }

    /// Makes one ring of two different ones.
    pub(super) fn splice(&mut self, one: Node, other: Node) {
        let (after_one, after_other) = (self.label(one).next, self.label(other).next);
        self.set(one, |label| label.next = after_other);
        self.set(other, |label| label.next = after_one);
    }
}

/// Labels all nodes in one pass, which costs less than node by node.
pub(super) struct Pass {
    pages: Vec<Written>,
    nodes: usize,
}

impl Pass {
    /// Room for nodes below `end`.
    pub(super) fn new(end: usize) -> Self {
        let pages = (0..end.div_ceil(SIZE)).map(|_| Written::default()).collect();
        Self { pages, nodes: 0 }
    }

    /// Labels `node`, whose parent in the forest is smaller and labelled already, or itself.
    pub(super) fn label(&mut self, node: Node, parent: Node, nobody: bool) {
        self.nodes += 1;
        let (page, place) = locate(node);
        let label = if node == parent {
            Label { customer: if nobody { 0 } else { node }, next: node }
        } else {
            let (parent_page, parent_place) = locate(parent);
            let label = self.pages[parent_page].get(parent_place);
            self.pages[parent_page].set(parent_place, Label { next: node, ..label });
            label
        };
        self.pages[page].set(place, label);
    }

    pub(super) fn finish(self) -> Assignment {
        let pages = self.pages.into_iter().map(|page| Arc::new(Page::new(page))).collect();
        Assignment { pages, nodes: self.nodes }
    }
}
