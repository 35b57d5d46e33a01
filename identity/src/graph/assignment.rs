//! The customers of all nodes, as they stand at one moment.

use std::sync::Arc;

use super::Node;

const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Which customer each node belongs to. Immutable; clones share all of it, and later ones what
/// did not change.
#[derive(Clone, Default)]
pub struct Assignment {
    chunks: Vec<Arc<Chunk>>,
    nodes: usize,
}

/// The labels of so many nodes in a row.
#[derive(Clone)]
struct Chunk {
    customer: Box<[Node]>,
    /// The next node of the same customer, in a ring; 0 for unknown nodes.
    next: Box<[Node]>,
}

impl Chunk {
    fn new() -> Self {
        let empty = || vec![0; CHUNK].into_boxed_slice();
        Self { customer: empty(), next: empty() }
    }
}

fn split(node: Node) -> (usize, usize) {
    ((node >> CHUNK_BITS) as usize, node as usize & (CHUNK - 1))
}

impl Assignment {
    /// The customer of a node, which is the smallest node of that customer; 0 if it has none.
    pub fn customer(&self, node: Node) -> Node {
        let (chunk, place) = split(node);
        self.chunks.get(chunk).map_or(0, |chunk| chunk.customer[place])
    }

    /// Whether the graph has evidence of the node.
    pub fn known(&self, node: Node) -> bool {
        self.next(node) != 0
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
        (0..).zip(&self.chunks).flat_map(|(number, chunk)| {
            let nodes = (number << CHUNK_BITS..).zip(&chunk.customer);
            nodes.filter(|(node, customer)| *node == **customer && *node != 0).map(|pair| pair.0)
        })
    }

    /// The nodes that share a ring with `start`: those of its customer, and a lone node itself.
    pub(super) fn ring(&self, start: Node) -> impl Iterator<Item = Node> {
        let mut node = start;
        std::iter::from_fn(move || {
            let this = node;
            node = self.next(this);
            if node == start {
                node = 0;
            }
            (this != 0).then_some(this)
        })
    }

    /// The chunks' nodes whose labels differ from those of `before`, with the label of before.
    pub(super) fn differences(&self, before: &Self) -> Vec<(Node, Node)> {
        let mut differences = Vec::new();
        let first = (0..).step_by(CHUNK);
        for ((first, new), old) in first.zip(&self.chunks).zip(&before.chunks) {
            let pairs = (first..).zip(old.customer.iter().zip(&new.customer));
            let changed = pairs.filter(|(_, (old, new))| old != new && **old != 0);
            differences.extend(changed.map(|(node, (old, _))| (node, *old)));
        }
        differences
    }

    fn next(&self, node: Node) -> Node {
        let (chunk, place) = split(node);
        self.chunks.get(chunk).map_or(0, |chunk| chunk.next[place])
    }

    /// Makes `node` a known node that is alone and nobody.
    pub(super) fn isolate(&mut self, node: Node) {
        let (chunk, place) = split(node);
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || Arc::new(Chunk::new()));
        }
        let chunk = Arc::make_mut(&mut self.chunks[chunk]);
        self.nodes += usize::from(chunk.next[place] == 0);
        (chunk.customer[place], chunk.next[place]) = (0, node);
    }

    /// Makes `node` unknown. It must be alone.
    pub(super) fn forget(&mut self, node: Node) {
        if self.known(node) {
            let (chunk, place) = split(node);
            let chunk = Arc::make_mut(&mut self.chunks[chunk]);
            (chunk.customer[place], chunk.next[place]) = (0, 0);
            self.nodes -= 1;
        }
    }

    pub(super) fn set_customer(&mut self, node: Node, customer: Node) {
        let (chunk, place) = split(node);
        Arc::make_mut(&mut self.chunks[chunk]).customer[place] = customer;
    }

    /// Gives every node of the ring of `start` its customer.
    pub(super) fn relabel(&mut self, start: Node, customer: Node) {
        let mut node = start;
        loop {
            self.set_customer(node, customer);
            node = self.next(node);
            if node == start {
                return;
            }
        }
    }

    /// Makes one ring of two different ones.
    pub(super) fn splice(&mut self, one: Node, other: Node) {
        let (after_one, after_other) = (self.next(one), self.next(other));
        self.set_next(one, after_other);
        self.set_next(other, after_one);
    }

    fn set_next(&mut self, node: Node, next: Node) {
        let (chunk, place) = split(node);
        Arc::make_mut(&mut self.chunks[chunk]).next[place] = next;
    }
}

/// Labels all nodes in one pass, which costs less than node by node.
pub(super) struct Pass {
    chunks: Vec<Chunk>,
    nodes: usize,
}

impl Pass {
    /// Room for nodes below `end`.
    pub(super) fn new(end: usize) -> Self {
        let chunks = (0..end.div_ceil(CHUNK)).map(|_| Chunk::new()).collect();
        Self { chunks, nodes: 0 }
    }

    /// Labels `node`, whose parent in the forest is smaller and labelled already, or itself.
    /// Returns its root.
    pub(super) fn label(&mut self, node: Node, parent: Node, nobody: bool) {
        self.nodes += 1;
        let (chunk, place) = split(node);
        if node == parent {
            self.chunks[chunk].customer[place] = if nobody { 0 } else { node };
            self.chunks[chunk].next[place] = node;
            return;
        }
        let (parent_chunk, parent_place) = split(parent);
        let parent_chunk = &mut self.chunks[parent_chunk];
        let customer = parent_chunk.customer[parent_place];
        let next = std::mem::replace(&mut parent_chunk.next[parent_place], node);
        self.chunks[chunk].customer[place] = customer;
        self.chunks[chunk].next[place] = next;
    }

    pub(super) fn finish(self) -> Assignment {
        Assignment { chunks: self.chunks.into_iter().map(Arc::new).collect(), nodes: self.nodes }
    }
}
