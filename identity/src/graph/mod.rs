//! The graph of identifiers: what was seen together, and the customers that follow.
//!
//! [`Nodes`] gives every identifier and every record a number. [`Evidence`] says what was seen:
//! identifiers, the records (rows) that name several of them, and links between two nodes that
//! matching or a steward drew. [`Graph`] keeps all evidence of one database and subject under
//! [`Rules`]; its [`Assignment`] says which customer a node belongs to.
//!
//! The customers are a function of evidence and rules alone: neither the order in which evidence
//! arrives nor how it is cut into batches changes them.
//!
//! ```
//! use clientele_identity::graph::{Evidence, Graph, Identifier, Key, Nodes, Record, Rules};
//!
//! let nodes = Nodes::new();
//! let keys = [Key::of_identifier(1, "jane@example.com"), Key::of_identifier(2, "9204")];
//! let record = Key::of_record(7, &keys);
//! let (members, row) = (nodes.intern(&keys), nodes.intern(&[record])[0]);
//!
//! let mut evidence = Evidence::default();
//! for (namespace, (&node, &key)) in (1..).zip(members.iter().zip(&keys)) {
//!     evidence.identifiers.push(Identifier { node, key, namespace, blocked: false });
//! }
//! evidence.members.extend(&members);
//! evidence.records.push(Record { node: row, key: record, members: 0..2, standalone: false });
//!
//! let mut graph = Graph::new(Rules::default());
//! graph.apply(&evidence);
//! assert_eq!(graph.assignment().customer(row), members[0]);
//! ```
//!
//! - `key`, `nodes`: content keys, and the numbers that they get
//! - `evidence`, `rules`: what the graph is told
//! - `store`: the evidence in flat arrays; `row`: what is known of one node
//! - `fan_out`: which identifiers are quarantined because too many others were seen with them
//! - `forest`: connected components; `contest`: components that break a limit or a split
//! - `take`, `revise`: evidence comes and goes; `tentative`: it is only tried; `settle`, `rebuild`:
//!   the customers that follow
//! - `assignment` (in pages), `changes`, `path`: the answers

mod assignment;
mod changes;
mod contest;
mod evidence;
mod fan_out;
mod forest;
mod key;
mod nodes;
mod page;
mod path;
mod rebuild;
mod revise;
mod row;
mod rules;
mod settle;
mod store;
mod take;
mod tentative;

#[cfg(test)]
mod tests;

use hashbrown::{HashMap, HashSet};

pub use assignment::Assignment;
pub use changes::{Changes, Merge, Split};
pub use contest::{Conflict, Reason};
pub use evidence::{Evidence, Identifier, Link, LinkKind, Record};
pub use key::Key;
pub use nodes::Nodes;
pub use path::{Step, Via};
pub use rules::{Limits, Rules};

use contest::Contest;
use fan_out::Neighbours;
use row::Row;
use rules::Spaces;
use store::Store;

/// The number of an identifier or record: dense from 1; 0 is no node.
pub type Node = u32;

/// All evidence about one kind of subject (persons, or companies) of one database, and the
/// customers that follow from it.
#[derive(Clone)]
pub struct Graph {
    store: Store,
    spaces: Spaces,
    /// Exact neighbours of the identifiers that may have too many of them.
    heavy: HashMap<Node, Neighbours>,
    /// Open identifiers of a limited namespace (its dense number) in the component of a root.
    counts: HashMap<(Node, u32), u32>,
    /// By root, the components in which a limit or a split forbids that all be one customer.
    contests: HashMap<Node, Contest>,
    splits: HashSet<(Node, Node)>,
    labels: Assignment,
    /// Batches of more nodes than this may be worth a pass over all.
    bulk: usize,
}

/// Whether an identifier or record may connect others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It connects what it was seen with. Records are always open.
    Open,
    /// Its value is on a list of values that say nothing, such as `n/a`.
    Blocked,
    /// It was seen with more identifiers of one namespace than its fan-out allows.
    Quarantined,
    /// The graph has no evidence of it.
    Unknown,
}

impl Graph {
    /// An empty graph under `rules`.
    pub fn new(rules: Rules) -> Self {
        Self {
            store: Store::default(),
            spaces: Spaces::new(rules),
            heavy: HashMap::new(),
            counts: HashMap::new(),
            contests: HashMap::new(),
            splits: HashSet::new(),
            labels: Assignment::default(),
            bulk: 4096,
        }
    }

    /// The customers as they stand: immutable, and shares what later batches leave as it is.
    pub fn assignment(&mut self) -> Assignment {
        self.labels.clone()
    }

    /// The customer of a node as it stands; 0 if it has none.
    pub fn customer(&self, node: Node) -> Node {
        self.labels.customer(node)
    }

    /// Whether `node` connects others, and if not, why.
    pub fn status(&self, node: Node) -> Status {
        match self.store.row(node) {
            row if !row.is_known() => Status::Unknown,
            row if row.is(Row::BLOCKED) => Status::Blocked,
            row if row.is(Row::QUARANTINED) => Status::Quarantined,
            _ => Status::Open,
        }
    }

    /// The namespace of an identifier; `None` for records and unknown nodes.
    pub fn namespace(&self, node: Node) -> Option<u32> {
        let row = self.store.row(node);
        row.is(Row::IDENTIFIER).then(|| self.spaces.namespace(row.space()))
    }

    /// The identifiers on a record, each once; empty if `record` is no record.
    pub fn members(&self, record: Node) -> &[Node] {
        self.store.members(record)
    }

    /// The records that name `identifier`, newest first.
    pub fn records_of(&self, identifier: Node) -> impl Iterator<Item = Node> {
        self.store.records_of(identifier)
    }
}
