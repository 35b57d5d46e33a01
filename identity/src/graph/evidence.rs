//! What a batch tells the graph.

use std::ops::Range;

use super::{Key, Node};

/// An identifier that was seen: one normalised value of one namespace.
#[derive(Clone, Copy, Debug)]
pub struct Identifier {
    /// Its number from [`Nodes`](super::Nodes).
    pub node: Node,
    /// Its content key, which breaks ties where the order must not depend on arrival.
    pub key: Key,
    /// The domain that its value belongs to.
    pub namespace: u32,
    /// Whether the value says nothing (`n/a`, `test@test.com`) and so connects nothing.
    pub blocked: bool,
}

/// The set of identifiers on one row of a table.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number from [`Nodes`](super::Nodes).
    pub node: Node,
    /// Its content key.
    pub key: Key,
    /// Its identifiers: a range of [`Evidence::members`].
    pub members: Range<u32>,
    /// Whether it is a customer even if none of its identifiers is open.
    pub standalone: bool,
}

/// What a link says of its two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkKind {
    /// Record matching found that both are one customer.
    Matched {
        /// The match weight (log₂ of the Bayes factor); heavier links are believed first.
        weight: f32,
    },
    /// A steward said that both are one customer.
    Merged,
    /// A steward said that both must never be one customer.
    Split,
}

/// A statement about two nodes that stands on no record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// One end.
    pub a: Node,
    /// The other end.
    pub b: Node,
    /// What is said of the two.
    pub kind: LinkKind,
}

impl Link {
    /// The end that is not `node`.
    pub(super) fn other(&self, node: Node) -> Node {
        if self.a == node { self.b } else { self.a }
    }

    pub(super) fn is_split(&self) -> bool {
        self.kind == LinkKind::Split
    }
}

/// A batch of evidence, as it is delivered to [`Graph::apply`](super::Graph::apply).
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Identifiers; those that the graph knows are skipped.
    pub identifiers: Vec<Identifier>,
    /// Records; those that the graph knows are skipped.
    pub records: Vec<Record>,
    /// The identifiers of the records.
    pub members: Vec<Node>,
    /// Links; of two equal ones the heavier stands.
    pub links: Vec<Link>,
}
