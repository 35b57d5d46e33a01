//! Why two nodes are one customer.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::row::Row;
use super::{Graph, Link, Node};

/// What a step stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Via {
    /// A record that names both ends, or is one of them.
    Record(Node),
    /// A link between both ends.
    Link(Link),
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Where it starts.
    pub from: Node,
    /// Where it ends.
    pub to: Node,
    /// What it stands on.
    pub via: Via,
}

impl Graph {
    /// A path of fewest edges from `a` to `b` over edges that hold: not refused, their
    /// identifiers open. An edge connects a record with an identifier, or is a link; a step
    /// passes through a record from one identifier to the next. `None` if they are not one
    /// customer.
    pub fn path(&self, a: Node, b: Node) -> Option<Vec<Step>> {
        let customer = self.labels.customer(a);
        if customer == 0 || customer != self.labels.customer(b) {
            return None;
        }
        let mut came: HashMap<Node, (Node, Via)> = HashMap::new();
        let mut queue = VecDeque::from([a]);
        while let Some(node) = queue.pop_front() {
            if node == b {
                break;
            }
            for (next, via) in self.edges_of(node) {
                // Ends of a refused edge are different customers.
                if next != a && self.labels.customer(next) == customer && !came.contains_key(&next)
                {
                    came.insert(next, (node, via));
                    queue.push_back(next);
                }
            }
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut to = b;
        while to != a {
            let &(from, via) = came.get(&to)?;
            match steps.last_mut() {
                Some(last) if last.via == via => last.from = from,
                _ => steps.push(Step { from, to, via }),
            }
            to = from;
        }
        steps.reverse();
        Some(steps)
    }

    fn edges_of(&self, node: Node) -> impl Iterator<Item = (Node, Via)> {
        let members = self.store.members(node).iter();
        let members = members.map(move |&member| (member, Via::Record(node)));
        let records = self.store.records_of(node).map(|record| (record, Via::Record(record)));
        let links = self.store.links(node).iter().filter(|link| !link.is_split());
        let links = links.map(move |link| (link.other(node), Via::Link(*link)));
        let open = |(next, _): &(Node, Via)| self.store.row(*next).is_active();
        debug_assert!(self.store.row(node).is(Row::IDENTIFIER | Row::RECORD));
        members.chain(records).chain(links).filter(open)
    }
}
