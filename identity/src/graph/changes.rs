//! What a call changed for the customers that were there before it.

use hashbrown::{HashMap, HashSet};

use super::{Assignment, Node};

/// A customer became part of another: its oldest node belongs to `survivor` now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// The customer that all belong to now.
    pub survivor: Node,
    /// The customer that is no more.
    pub absorbed: Node,
    /// The record, identifier or end of a link that brought it about.
    pub cause: Node,
}

/// Some nodes of a customer left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split {
    /// The customer that they belonged to.
    pub from: Node,
    /// The customer that they belong to now.
    pub part: Node,
    /// The record, identifier or end of a link that brought it about.
    pub cause: Node,
}

/// Merges and splits of customers that existed before a call, and identifiers that changed
/// state. New customers and new nodes of a customer are not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Customers that were absorbed, each once.
    pub merges: Vec<Merge>,
    /// Parts that left their customer.
    pub splits: Vec<Split>,
    /// Identifiers that passed their fan-out.
    pub quarantined: Vec<Node>,
    /// Identifiers that no longer pass it.
    pub released: Vec<Node>,
}

/// A node whose label changed, for itself or for all that shared its label and still do.
pub(super) struct Touched {
    pub(super) node: Node,
    /// Its customer before the call.
    pub(super) before: Node,
    pub(super) cause: Node,
}

impl Changes {
    /// Lists what happened to the customers of the touched nodes.
    ///
    /// `causes` knows what made a root lose its place; it is more exact than what touched a
    /// node's whole component.
    pub(super) fn explain(
        &mut self,
        touched: &[Touched],
        causes: &HashMap<Node, Node>,
        after: &Assignment,
    ) {
        let mut seen = HashSet::new();
        for &Touched { node, before, cause } in touched {
            let now = after.customer(node);
            if before == 0 || now == 0 || before == now || !seen.insert((before, now)) {
                continue;
            }
            if after.customer(before) == now {
                let cause = causes.get(&before).copied().unwrap_or(cause);
                self.merges.push(Merge { survivor: now, absorbed: before, cause });
            } else {
                self.splits.push(Split { from: before, part: now, cause });
            }
        }
        self.merges.sort_unstable();
        self.splits.sort_unstable();
        self.quarantined.sort_unstable();
        self.released.sort_unstable();
    }
}
