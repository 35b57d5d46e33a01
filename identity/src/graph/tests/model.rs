//! The same semantics in the plainest way: nothing is kept, all is computed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::{
    Evidence, Identifier, Limits, Link, LinkKind, Node, Reason, Rules, Status, Via,
};

#[derive(Clone)]
pub(super) struct Row {
    pub(super) members: BTreeSet<Node>,
    pub(super) standalone: bool,
    key: u64,
}

#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) rules: Rules,
    pub(super) identifiers: BTreeMap<Node, Identifier>,
    pub(super) records: BTreeMap<Node, Row>,
    pub(super) links: Vec<Link>,
}

/// What follows from the evidence.
#[derive(Default)]
pub(super) struct Answer {
    /// All known nodes.
    pub(super) customers: BTreeMap<Node, Node>,
    pub(super) refused: Vec<(Via, Node, Reason)>,
    pub(super) quarantined: BTreeSet<Node>,
}

/// An edge with what orders it.
struct Edge {
    rank: (u8, u16, f32, [u64; 2]),
    a: Node,
    b: Node,
    via: Via,
}

fn pair(link: &Link) -> (Node, Node) {
    (link.a.min(link.b), link.a.max(link.b))
}

impl Model {
    pub(super) fn apply(&mut self, evidence: &Evidence) {
        for identifier in &evidence.identifiers {
            self.identifiers.entry(identifier.node).or_insert(*identifier);
        }
        for record in &evidence.records {
            let members = &evidence.members[record.members.start as usize..];
            let members = members[..record.members.len()].iter().copied().collect();
            let row = Row { members, standalone: record.standalone, key: record.key.0 as u64 };
            self.records.entry(record.node).or_insert(row);
        }
        for link in evidence.links.iter().filter(|link| link.a != link.b) {
            let kind = std::mem::discriminant(&link.kind);
            let same = |old: &&mut Link| {
                pair(old) == pair(link) && std::mem::discriminant(&old.kind) == kind
            };
            match (self.links.iter_mut().find(same), link.kind) {
                (None, _) => self.links.push(*link),
                (Some(Link { kind: LinkKind::Matched { weight: old }, .. }), new) => {
                    let LinkKind::Matched { weight } = new else { unreachable!() };
                    *old = old.max(weight);
                }
                (Some(_), _) => {}
            }
        }
    }

    pub(super) fn unlink(&mut self, a: Node, b: Node) {
        self.links.retain(|link| pair(link) != (a.min(b), a.max(b)));
    }

    pub(super) fn remove(&mut self, nodes: &[Node]) {
        let mut gone = nodes.iter().copied().collect::<BTreeSet<_>>();
        let naming = |row: &Row| row.members.iter().any(|member| nodes.contains(member));
        gone.extend(self.records.iter().filter(|(_, row)| naming(row)).map(|(&node, _)| node));
        self.identifiers.retain(|node, _| !gone.contains(node));
        self.records.retain(|node, _| !gone.contains(node));
        self.links.retain(|link| !gone.contains(&link.a) && !gone.contains(&link.b));
    }

    pub(super) fn limits(&self, namespace: u32) -> Limits {
        *self.rules.namespaces.get(&namespace).unwrap_or(&self.rules.default)
    }

    pub(super) fn degree(&self, node: Node) -> u32 {
        let mut neighbours: BTreeMap<u32, BTreeSet<Node>> = BTreeMap::new();
        for row in self.records.values().filter(|row| row.members.contains(&node)) {
            for member in row.members.iter().filter(|member| **member != node) {
                if let Some(identifier) = self.identifiers.get(member) {
                    neighbours.entry(identifier.namespace).or_default().insert(*member);
                }
            }
        }
        neighbours.values().map(|nodes| nodes.len() as u32).max().unwrap_or(0)
    }

    fn exceeds(&self, identifier: &Identifier) -> bool {
        let fan_out = self.limits(identifier.namespace).fan_out;
        fan_out.is_some_and(|limit| self.degree(identifier.node) > limit)
    }

    pub(super) fn status(&self, node: Node) -> Status {
        match (self.identifiers.get(&node), self.records.get(&node)) {
            (Some(identifier), _) if identifier.blocked => Status::Blocked,
            (Some(identifier), _) if self.exceeds(identifier) => Status::Quarantined,
            (None, None) => Status::Unknown,
            _ => Status::Open,
        }
    }

    fn key(&self, node: Node) -> u64 {
        let identifier = self.identifiers.get(&node).map(|identifier| identifier.key.0 as u64);
        identifier.unwrap_or_else(|| self.records[&node].key)
    }

    /// All edges between active nodes, strongest first.
    fn edges(&self, active: &BTreeSet<Node>) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (&record, row) in self.records.iter().filter(|(record, _)| active.contains(record)) {
            for &member in row.members.iter().filter(|member| active.contains(member)) {
                let Some(identifier) = self.identifiers.get(&member) else { continue };
                let priority = self.limits(identifier.namespace).priority;
                let rank = (1, priority, 0.0, [self.key(member), self.key(record)]);
                edges.push(Edge { rank, a: member, b: record, via: Via::Record(record) });
            }
        }
        for &link in &self.links {
            if !active.contains(&link.a) || !active.contains(&link.b) {
                continue;
            }
            let mut keys = [self.key(link.a), self.key(link.b)];
            keys.sort_unstable();
            let rank = match link.kind {
                LinkKind::Matched { weight } => (2, 0, -weight, keys),
                LinkKind::Merged => (0, 0, 0.0, keys),
                LinkKind::Split => continue,
            };
            edges.push(Edge { rank, a: link.a, b: link.b, via: Via::Link(link) });
        }
        edges.sort_by(|one, other| one.rank.partial_cmp(&other.rank).unwrap());
        edges
    }

    /// Why these nodes cannot be one customer.
    fn broken(&self, nodes: &BTreeSet<Node>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for node in nodes {
            if let Some(identifier) = self.identifiers.get(node) {
                *counts.entry(identifier.namespace).or_default() += 1;
            }
        }
        for (namespace, count) in counts {
            let limit = self.limits(namespace).per_customer;
            if limit.is_some_and(|limit| count > limit.max(1)) {
                reasons.push(Reason::PerCustomer { namespace });
            }
        }
        for link in self.links.iter().filter(|link| link.kind == LinkKind::Split) {
            if nodes.contains(&link.a) && nodes.contains(&link.b) {
                let (a, b) = pair(link);
                reasons.push(Reason::Split { a, b });
            }
        }
        reasons
    }

    pub(super) fn answer(&self) -> Answer {
        let mut answer = Answer::default();
        let known = self.identifiers.keys().chain(self.records.keys()).copied();
        let known = known.collect::<BTreeSet<_>>();
        let is_quarantined = |identifier: &&Identifier| self.exceeds(identifier);
        let quarantined = self.identifiers.values().filter(is_quarantined);
        answer.quarantined = quarantined.map(|identifier| identifier.node).collect();
        let active = |node: &Node| {
            !answer.quarantined.contains(node)
                && !self.identifiers.get(node).is_some_and(|identifier| identifier.blocked)
        };
        let active = known.iter().copied().filter(active).collect::<BTreeSet<_>>();
        let edges = self.edges(&active);
        let mut groups = active.iter().map(|&node| (node, node)).collect::<BTreeMap<_, _>>();
        // Whole components first; those that break a rule once more, edge by edge.
        for edge in &edges {
            unite(&mut groups, edge.a, edge.b);
        }
        let mut bad = BTreeSet::new();
        for group in groups.values().copied().collect::<BTreeSet<_>>() {
            let nodes = of_group(&groups, group);
            if !self.broken(&nodes).is_empty() {
                bad.extend(nodes);
            }
        }
        for &node in &bad {
            groups.insert(node, node);
        }
        for edge in edges.iter().filter(|edge| bad.contains(&edge.a)) {
            let (a, b) = (groups[&edge.a], groups[&edge.b]);
            if a == b {
                continue;
            }
            let both = &of_group(&groups, a) | &of_group(&groups, b);
            match self.broken(&both).first() {
                None => unite(&mut groups, edge.a, edge.b),
                Some(&reason) => answer.refused.push((edge.via, edge.a, reason)),
            }
        }
        for node in known {
            let nodes = groups.get(&node).map(|&group| of_group(&groups, group));
            let nodes = nodes.unwrap_or_default();
            let anchor = |node: &Node| match self.records.get(node) {
                Some(row) => row.standalone,
                None => true,
            };
            let somebody = nodes.iter().any(anchor);
            let first = nodes.first().copied().unwrap_or(0);
            answer.customers.insert(node, if somebody { first } else { 0 });
        }
        answer
    }

    /// The number of edges on a shortest path within one customer.
    pub(super) fn distance(&self, answer: &Answer, a: Node, b: Node) -> Option<usize> {
        let customer = |node| answer.customers.get(&node).copied().unwrap_or(0);
        if customer(a) == 0 || customer(a) != customer(b) {
            return None;
        }
        let active = answer.customers.iter().filter(|(_, other)| **other == customer(a));
        let edges = self.edges(&active.map(|(&node, _)| node).collect());
        let mut distance = BTreeMap::from([(a, 0)]);
        let mut queue = VecDeque::from([a]);
        while let Some(node) = queue.pop_front() {
            for edge in &edges {
                let next = match node {
                    _ if node == edge.a => edge.b,
                    _ if node == edge.b => edge.a,
                    _ => continue,
                };
                if !distance.contains_key(&next) {
                    distance.insert(next, distance[&node] + 1);
                    queue.push_back(next);
                }
            }
        }
        distance.get(&b).copied()
    }

    /// No customer may break a rule, whatever way it came about.
    pub(super) fn check_limits(&self, customers: &BTreeMap<Node, Node>) {
        for customer in customers.values().copied().collect::<BTreeSet<_>>() {
            if customer != 0 {
                assert_eq!(self.broken(&of_group(customers, customer)), []);
            }
        }
    }
}

fn of_group(groups: &BTreeMap<Node, Node>, group: Node) -> BTreeSet<Node> {
    groups.iter().filter(|(_, other)| **other == group).map(|(&node, _)| node).collect()
}

fn unite(groups: &mut BTreeMap<Node, Node>, a: Node, b: Node) {
    let (a, b) = (groups[&a], groups[&b]);
    groups.values_mut().filter(|group| **group == b).for_each(|group| *group = a);
}
