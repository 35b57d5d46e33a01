//! The graph against a model that computes everything from scratch.

mod model;
mod streams;

use super::{
    Evidence, Graph, Identifier, Key, Limits, Link, LinkKind, Node, Record, Rules, Status,
};

/// Evidence by hand: identifiers are `(node, namespace)`, records `(node, members)`.
fn evidence(identifiers: &[(Node, u32)], records: &[(Node, &[Node])]) -> Evidence {
    let mut evidence = Evidence::default();
    for &(node, namespace) in identifiers {
        let key = Key::of_identifier(namespace, &node.to_string());
        evidence.identifiers.push(Identifier { node, key, namespace, blocked: false });
    }
    for &(node, members) in records {
        let start = evidence.members.len() as u32;
        evidence.members.extend(members);
        let members = start..evidence.members.len() as u32;
        let key = Key::of_identifier(u32::MAX, &node.to_string());
        evidence.records.push(Record { node, key, members, standalone: false });
    }
    evidence
}

fn links(links: &[(Node, Node, LinkKind)]) -> Evidence {
    let links = links.iter().map(|&(a, b, kind)| Link { a, b, kind }).collect();
    Evidence { links, ..Evidence::default() }
}

fn customers(graph: &mut Graph, last: Node) -> Vec<Node> {
    let assignment = graph.assignment();
    (1..=last).map(|node| assignment.customer(node)).collect()
}

#[test]
fn identifiers_on_one_record_are_one_customer() {
    let mut graph = Graph::new(Rules::default());
    graph.apply(&evidence(&[(1, 1), (2, 2), (3, 3)], &[(4, &[1, 2])]));
    assert_eq!(customers(&mut graph, 4), [1, 1, 3, 1]);
    let changes = graph.apply(&evidence(&[], &[(5, &[2, 3])]));
    assert_eq!(customers(&mut graph, 5), [1, 1, 1, 1, 1]);
    assert_eq!((changes.merges[0].survivor, changes.merges[0].absorbed), (1, 3));
    assert_eq!(changes.merges[0].cause, 5);
    assert_eq!(graph.assignment().members(1), [1, 2, 3, 4, 5]);
}

#[test]
fn a_merge_that_is_taken_back_restores_ids() {
    let mut graph = Graph::new(Rules::default());
    graph.apply(&evidence(&[(1, 1), (2, 1), (3, 2), (4, 2)], &[(5, &[1, 3]), (6, &[2, 4])]));
    let before = customers(&mut graph, 6);
    graph.apply(&links(&[(3, 4, LinkKind::Merged)]));
    assert_eq!(customers(&mut graph, 6), [1; 6]);
    let changes = graph.unlink(4, 3);
    assert_eq!(customers(&mut graph, 6), before);
    assert_eq!((changes.splits[0].from, changes.splits[0].part), (1, 2));
}

#[test]
fn a_split_outlasts_new_evidence() {
    let mut graph = Graph::new(Rules::default());
    graph.apply(&evidence(&[(1, 1), (2, 1), (3, 2)], &[(4, &[1, 3]), (5, &[2, 3])]));
    graph.apply(&links(&[(1, 2, LinkKind::Split)]));
    let split = customers(&mut graph, 5);
    assert_ne!(split[0], split[1]);
    graph.apply(&evidence(&[], &[(6, &[1, 2])]));
    let split = customers(&mut graph, 6);
    assert_ne!(split[0], split[1]);
    assert_eq!(graph.conflicts().count(), 2);
    graph.unlink(1, 2);
    assert_eq!(customers(&mut graph, 6), [1; 6]);
    assert_eq!(graph.conflicts().count(), 0);
}

#[test]
fn too_many_neighbours_quarantine_and_their_removal_releases() {
    let limits = Limits { fan_out: Some(2), ..Limits::default() };
    let mut graph = Graph::new(Rules { default: limits, ..Rules::default() });
    let all = [(1, 1), (2, 2), (3, 2), (4, 2)];
    graph.apply(&evidence(&all, &[(5, &[1, 2]), (6, &[1, 3])]));
    assert_eq!(customers(&mut graph, 6), [1, 1, 1, 4, 1, 1]);
    let changes = graph.apply(&evidence(&[], &[(7, &[1, 4])]));
    assert_eq!(changes.quarantined, [1]);
    assert_eq!((graph.status(1), graph.degree(1)), (Status::Quarantined, 3));
    assert_eq!(customers(&mut graph, 7), [0, 2, 3, 4, 2, 3, 4]);
    let changes = graph.remove(&[7]);
    assert_eq!(changes.released, [1]);
    assert_eq!(customers(&mut graph, 7), [1, 1, 1, 4, 1, 1, 0]);
    assert_eq!(graph.status(7), Status::Unknown);
}

#[test]
fn the_stronger_identifier_is_believed_first() {
    let one = Limits { per_customer: Some(1), priority: 0, ..Limits::default() };
    let rules = Rules { namespaces: [(1, one)].into(), ..Rules::default() };
    let mut graph = Graph::new(rules.clone());
    // Two keys of the shop share an e-mail address.
    graph.apply(&evidence(&[(1, 1), (2, 1), (3, 2)], &[(4, &[1, 3]), (5, &[2, 3])]));
    let assignment = graph.assignment();
    assert_ne!(assignment.customer(1), assignment.customer(2));
    assert_eq!(assignment.customer(4), 1);
    assert_eq!(assignment.customer(5), 2);
    assert_eq!(graph.conflicts().count(), 1);
    graph.set_rules(Rules::default());
    assert_eq!(customers(&mut graph, 5), [1; 5]);
    graph.set_rules(rules);
    assert_ne!(graph.assignment().customer(4), graph.assignment().customer(5));
}

#[test]
fn a_row_without_open_identifiers_is_nobody_unless_it_stands_alone() {
    let mut graph = Graph::new(Rules::default());
    let mut told = evidence(&[(1, 1)], &[(2, &[1]), (3, &[1])]);
    told.identifiers[0].blocked = true;
    told.records[1].standalone = true;
    graph.apply(&told);
    assert_eq!(customers(&mut graph, 3), [0, 0, 3]);
    assert_eq!(graph.status(1), Status::Blocked);
    graph.set_blocked(&[1], false);
    assert_eq!(customers(&mut graph, 3), [1, 1, 1]);
    assert!(graph.assignment().known(3) && !graph.assignment().known(4));
}

#[test]
fn an_assignment_outlives_what_follows() {
    let mut graph = Graph::new(Rules::default());
    graph.apply(&evidence(&[(1, 1), (2, 2)], &[]));
    let before = graph.assignment();
    graph.apply(&evidence(&[], &[(3, &[1, 2])]));
    assert_eq!((before.customer(2), graph.assignment().customer(2)), (2, 1));
    assert_eq!((before.nodes(), graph.assignment().nodes()), (2, 3));
    let mut out = vec![7];
    graph.assignment().gather(&[2, 3, 0, -1, i64::MAX, 99], &mut out);
    assert_eq!(out, [1, 1, 0, 0, 0, 0]);
}

#[test]
fn an_assignment_says_what_has_changed_since_another() {
    let mut graph = Graph::new(Rules::default());
    graph.apply(&evidence(&[(1, 1), (2, 2), (3, 3), (40_000, 1)], &[]));
    let before = graph.assignment();
    assert_eq!(before.changes_since(&before), []);
    graph.apply(&evidence(&[(50_000, 1)], &[(4, &[2, 3])]));
    let now = graph.assignment();
    // Node 40 000 is on a page that nobody has written.
    assert_eq!(now.changes_since(&before), [(3, 3, 2), (4, 0, 2), (50_000, 0, 50_000)]);
    assert_eq!(before.changes_since(&now), [(3, 2, 3), (4, 2, 0), (50_000, 50_000, 0)]);
}
