//! Identifiers without which a customer would fall apart.

use std::collections::HashMap;

use clientele_identity::graph::{Graph, Node};

use crate::domains::Subject;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;

/// Nodes of a customer up to which it is looked at; one with more is conspicuous by its size.
const NODES_MAX: usize = 4096;

/// Identifiers of a customer that are tried.
const IDENTIFIERS_MAX: usize = 256;

/// Records that a part has at least.
const RECORDS_MIN: usize = 3;

impl Store {
    /// The identifier that alone holds a customer together: without it, two parts of at least
    /// three records each would have no identifier in common. The smallest such node, and how many
    /// records the smaller of the two largest parts has.
    pub fn bridge(
        &self,
        snapshot: &Snapshot,
        subject: Subject,
        customer: i64,
    ) -> Option<(Node, usize)> {
        let nodes = snapshot.customers.nodes(subject, customer);
        if nodes.len() > NODES_MAX {
            return None;
        }
        let records: Vec<Vec<Node>> =
            self.shared.identity.read(subject, |graph| members(graph, &nodes));
        if records.len() < 2 * RECORDS_MIN {
            return None;
        }
        let mut degrees: HashMap<Node, usize> = HashMap::new();
        records.iter().flatten().for_each(|member| *degrees.entry(*member).or_default() += 1);
        let shared = nodes.into_iter().filter(|node| degrees.get(node).is_some_and(|one| *one > 1));
        shared.take(IDENTIFIERS_MAX).find_map(|node| {
            let parts = parts(&records, node);
            parts.get(1).filter(|size| **size >= RECORDS_MIN).map(|size| (node, *size))
        })
    }
}

/// The identifiers of each record among the nodes.
fn members(graph: &Graph, nodes: &[Node]) -> Vec<Vec<Node>> {
    let records = nodes.iter().map(|node| graph.members(*node)).filter(|all| !all.is_empty());
    records.map(<[Node]>::to_vec).collect()
}

/// Sizes of the parts that records fall into without an identifier, the largest first.
fn parts(records: &[Vec<Node>], without: Node) -> Vec<usize> {
    let mut part: Vec<usize> = (0..records.len()).collect();
    let mut first: HashMap<Node, usize> = HashMap::new();
    for (record, members) in records.iter().enumerate() {
        for member in members.iter().filter(|member| **member != without) {
            let other = *first.entry(*member).or_insert(record);
            let (one, other) = (root(&mut part, record), root(&mut part, other));
            if let Some(slot) = part.get_mut(one.max(other)) {
                *slot = one.min(other);
            }
        }
    }
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    for record in 0..records.len() {
        *sizes.entry(root(&mut part, record)).or_default() += 1;
    }
    let mut sizes: Vec<usize> = sizes.into_values().collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes
}

/// The smallest record of a part.
fn root(part: &mut [usize], mut record: usize) -> usize {
    while let Some(parent) = part.get(record).copied().filter(|parent| *parent != record) {
        let grandparent = part.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = part.get_mut(record) {
            *slot = grandparent;
        }
        record = grandparent;
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_fall_apart_without_what_holds_them() {
        let two = [vec![1, 9], vec![1, 2], vec![2, 9], vec![5, 9], vec![5, 6], vec![6]];
        assert_eq!(parts(&two, 9), [3, 3]);
        assert_eq!(parts(&two, 1), [6]);
        assert_eq!(parts(&[vec![9], vec![9], vec![1]], 9), [1, 1, 1]);
    }
}
