//! Components in which a limit or a split forbids that all be one customer.
//!
//! They are resolved alone by Kruskal's algorithm: what is believed more connects first, and a
//! union that would break a limit or a split is refused. The order is taken from the evidence,
//! never from node numbers or arrival.

use std::cmp::Reverse;

use hashbrown::{HashMap, HashSet};

use super::changes::Touched;
use super::forest::find;
use super::row::Row;
use super::settle::Batch;
use super::{Graph, LinkKind, Node, Via};

/// How a contested component was resolved.
#[derive(Clone, Default)]
pub(super) struct Contest {
    /// One node of each customer in it.
    pub(super) parts: Vec<Node>,
    refused: Vec<Conflict>,
}

/// An edge that was refused, so that its two ends are different customers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conflict {
    /// The record or the link that would connect the two.
    pub via: Via,
    /// The identifier of the record; of a link, its end `a`.
    pub identifier: Node,
    /// The rule that refused it.
    pub reason: Reason,
}

/// Why an edge was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The customer would have more identifiers of this namespace than its limit allows.
    PerCustomer {
        /// The namespace.
        namespace: u32,
    },
    /// A steward has said that these two must never be one customer.
    Split {
        /// One of them.
        a: Node,
        /// The other one.
        b: Node,
    },
}

/// What decides which edges are believed first. Derived order: field by field.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: u8,
    priority: u16,
    /// The bits of the weight, in the order of numbers.
    weight: Reverse<u32>,
    keys: [u64; 2],
    /// Only where two keys are equal as well.
    ends: [Node; 2],
}

struct Edge {
    rank: Rank,
    a: Node,
    b: Node,
    via: Via,
}

/// The forest of one contested component, over positions in `nodes`.
struct Local {
    nodes: Vec<Node>,
    parents: Vec<u32>,
    /// By root: open identifiers of limited namespaces.
    counts: HashMap<u32, Vec<(u32, u32)>>,
    /// By root: the split pairs with an end in it.
    splits: HashMap<u32, Vec<(Node, Node)>>,
}

impl Local {
    fn position(&self, node: Node) -> Option<u32> {
        self.nodes.binary_search(&node).ok().map(|position| position as u32)
    }

    fn find(&mut self, mut position: u32) -> u32 {
        while self.parents[position as usize] != position {
            let next = self.parents[self.parents[position as usize] as usize];
            self.parents[position as usize] = next;
            position = next;
        }
        position
    }

    /// The split pair that two roots hold the ends of.
    fn severed(&mut self, a: u32, b: u32) -> Option<(Node, Node)> {
        let length = |root| self.splits.get(&root).map_or(0, Vec::len);
        let (few, many) = if length(a) < length(b) { (a, b) } else { (b, a) };
        let pairs = self.splits.get(&few).cloned().unwrap_or_default();
        let apart = |pair: &(Node, Node)| {
            let ends = [pair.0, pair.1].map(|end| self.position(end));
            ends.into_iter().flatten().any(|end| self.find(end) == many)
        };
        pairs.into_iter().filter(apart).min()
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (winner, loser) = (a.min(b), a.max(b));
        self.parents[loser as usize] = winner;
        for (space, more) in self.counts.remove(&loser).unwrap_or_default() {
            let counts = self.counts.entry(winner).or_default();
            match counts.iter_mut().find(|count| count.0 == space) {
                Some(count) => count.1 += more,
                None => counts.push((space, more)),
            }
        }
        let (mut many, mut few) =
            [winner, loser].map(|root| self.splits.remove(&root).unwrap_or_default()).into();
        if many.len() < few.len() {
            std::mem::swap(&mut many, &mut few);
        }
        many.extend(few);
        if !many.is_empty() {
            self.splits.insert(winner, many);
        }
    }
}

impl Graph {
    /// The edges that limits and splits refuse.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict> {
        self.contests.values().flat_map(|contest| contest.refused.iter().copied())
    }

    /// Resolves the contested components that the batch touched.
    pub(super) fn resolve_all(&mut self, batch: &mut Batch) {
        let mut roots = HashMap::new();
        for (root, cause) in std::mem::take(&mut batch.contested) {
            roots.entry(find(&mut self.store.rows, root)).or_insert(cause);
        }
        for (root, cause) in roots {
            self.resolve(root, cause, batch);
        }
    }

    fn resolve(&mut self, root: Node, cause: Node, batch: &mut Batch) {
        let parts = self.contests.remove(&root).unwrap_or_default().parts;
        let nodes = self.nodes_of([root].into_iter().chain(parts));
        for &node in &nodes {
            let before = self.labels.customer(node);
            if before != 0 {
                batch.touched.push(Touched { node, before, cause });
            }
        }
        let mut edges = nodes.iter().flat_map(|&node| self.edges(node)).collect::<Vec<_>>();
        edges.sort_unstable_by(|one, other| one.rank.cmp(&other.rank));
        let mut local = self.local(nodes);
        let mut refused = Vec::new();
        for edge in &edges {
            let ends = [edge.a, edge.b].map(|end| local.position(end));
            let [Some(a), Some(b)] = ends else { continue };
            let (a, b) = (local.find(a), local.find(b));
            if a == b {
                continue;
            }
            match self.refusal(&mut local, a, b) {
                None => local.unite(a, b),
                Some(reason) => {
                    refused.push(Conflict { via: edge.via, identifier: edge.a, reason });
                }
            }
        }
        let parts = self.write(&mut local);
        self.contests.insert(root, Contest { parts, refused });
    }

    /// The nodes in the rings of `starts`, ascending.
    fn nodes_of(&self, starts: impl Iterator<Item = Node>) -> Vec<Node> {
        let mut seen = HashSet::new();
        for start in starts {
            if !seen.contains(&start) {
                seen.extend(self.labels.ring(start));
            }
        }
        let mut nodes = seen.into_iter().collect::<Vec<_>>();
        nodes.sort_unstable();
        nodes
    }

    /// The edges that `node` brings: a record those to its open members, the first end of a
    /// link the link.
    fn edges(&self, node: Node) -> Vec<Edge> {
        let key = |node: Node| self.store.keys[node as usize];
        let active = |node: Node| self.store.row(node).is_active();
        let mut edges = Vec::new();
        for &member in self.store.members(node).iter().filter(|member| active(**member)) {
            let rank = Rank {
                class: 1,
                priority: self.spaces.priority(self.store.row(member).space()),
                weight: Reverse(0),
                keys: [key(member), key(node)],
                ends: [member, node],
            };
            edges.push(Edge { rank, a: member, b: node, via: Via::Record(node) });
        }
        for &link in self.store.links(node).iter().filter(|link| link.a == node) {
            if link.is_split() || !active(link.b) {
                continue;
            }
            let mut ends = [(key(link.a), link.a), (key(link.b), link.b)];
            ends.sort_unstable();
            let (class, weight) = match link.kind {
                LinkKind::Matched { weight } => (2, ordered(weight)),
                LinkKind::Merged | LinkKind::Split => (0, 0),
            };
            let (keys, ends) = (ends.map(|end| end.0), ends.map(|end| end.1));
            let rank = Rank { class, priority: 0, weight: Reverse(weight), keys, ends };
            edges.push(Edge { rank, a: link.a, b: link.b, via: Via::Link(link) });
        }
        edges
    }

    /// The component before any union, with what limits and splits look at.
    fn local(&self, nodes: Vec<Node>) -> Local {
        let parents = (0..nodes.len() as u32).collect();
        let (mut counts, mut splits) = (HashMap::new(), HashMap::new());
        for (position, &node) in (0..).zip(&nodes) {
            let row = self.store.row(node);
            if row.is(Row::IDENTIFIER) && self.spaces.per_customer(row.space()).is_some() {
                counts.insert(position, vec![(row.space(), 1)]);
            }
            let pairs = self.store.links(node).iter().filter(|link| link.is_split());
            let pairs = pairs.map(|link| (link.a.min(link.b), link.a.max(link.b)));
            let pairs = pairs.collect::<Vec<_>>();
            if !pairs.is_empty() {
                splits.insert(position, pairs);
            }
        }
        Local { nodes, parents, counts, splits }
    }

    fn refusal(&self, local: &mut Local, a: u32, b: u32) -> Option<Reason> {
        if let (Some(one), Some(other)) = (local.counts.get(&a), local.counts.get(&b)) {
            for (space, count) in one {
                let more = other.iter().find(|count| count.0 == *space).map_or(0, |more| more.1);
                let limit = self.spaces.per_customer(*space);
                if more > 0 && limit.is_some_and(|limit| count + more > limit) {
                    return Some(Reason::PerCustomer { namespace: self.spaces.namespace(*space) });
                }
            }
        }
        local.severed(a, b).map(|(a, b)| Reason::Split { a, b })
    }

    /// Writes the labels and rings of the resolved component; returns one node of each part.
    fn write(&mut self, local: &mut Local) -> Vec<Node> {
        let roots = (0..local.nodes.len() as u32).map(|position| local.find(position));
        let roots = roots.collect::<Vec<_>>();
        let mut anchored = HashSet::new();
        for (&node, &root) in local.nodes.iter().zip(&roots) {
            self.labels.isolate(node);
            let row = self.store.row(node);
            if row.is(Row::IDENTIFIER | Row::STANDALONE) {
                anchored.insert(root);
            }
        }
        let mut parts = Vec::new();
        for (&node, root) in local.nodes.iter().zip(roots) {
            let first = local.nodes[root as usize];
            if anchored.contains(&root) {
                self.labels.set_customer(node, first);
            }
            match node == first {
                true => parts.push(node),
                false => self.labels.splice(first, node),
            }
        }
        parts
    }
}

/// Bits that compare as the numbers do.
fn ordered(weight: f32) -> u32 {
    let bits = weight.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}
