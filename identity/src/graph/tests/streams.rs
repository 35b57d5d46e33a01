//! Random streams of evidence and revisions.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::changes::Changes;
use super::super::{
    Evidence, Graph, Identifier, Key, Limits, Link, LinkKind, Node, Record, Rules, Step, Via,
};
use super::model::{Answer, Model};

const SPACES: u32 = 4;

/// Everything that a stream may deliver: nodes, numbered at random, and what names them.
struct World {
    identifiers: Vec<Identifier>,
    records: Vec<(Record, Vec<Node>)>,
    links: Vec<Link>,
    nodes: Vec<Node>,
}

impl World {
    fn new(size: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut nodes = (1..=3 * size as Node).collect::<Vec<_>>();
        nodes.shuffle(&mut random);
        let (names, rest) = nodes.split_at(size);
        let mut world =
            Self { identifiers: vec![], records: vec![], links: vec![], nodes: nodes.clone() };
        for (number, &node) in names.iter().enumerate() {
            let namespace = random.random_range(0..SPACES);
            let key = Key::of_identifier(namespace, &number.to_string());
            let blocked = random.random_bool(0.05);
            world.identifiers.push(Identifier { node, key, namespace, blocked });
        }
        for &node in rest {
            let count = *[0, 1, 2, 2, 2, 3, 4].choose(&mut random).unwrap();
            // Near numbers meet more often, so that there are components of all sizes.
            let first = random.random_range(0..size);
            let member = |random: &mut ChaCha8Rng| {
                let far = random.random_bool(0.1);
                let step = random.random_range(0..if far { size } else { 3 });
                names[(first + step) % size]
            };
            let members = (0..count).map(|_| member(&mut random)).collect::<Vec<_>>();
            let key = Key::of_identifier(99, &node.to_string());
            let standalone = random.random_bool(0.2);
            world.records.push((Record { node, key, members: 0..0, standalone }, members));
        }
        for _ in 0..size / 2 {
            let kind = match random.random_range(0..6) {
                0 => LinkKind::Merged,
                1 => LinkKind::Split,
                _ => LinkKind::Matched { weight: random.random_range(-3..9) as f32 },
            };
            let (a, b) = (*nodes.choose(&mut random).unwrap(), *nodes.choose(&mut random).unwrap());
            world.links.push(Link { a, b, kind });
        }
        world
    }

    /// The pieces with these numbers.
    fn evidence(&self, pieces: impl IntoIterator<Item = usize>) -> Evidence {
        let mut evidence = Evidence::default();
        for piece in pieces {
            let record = piece.checked_sub(self.identifiers.len());
            let link = record.and_then(|record| record.checked_sub(self.records.len()));
            if let Some(link) = link {
                evidence.links.push(self.links[link]);
            } else if let Some(record) = record {
                let (record, members) = &self.records[record];
                let start = evidence.members.len() as u32;
                evidence.members.extend(members);
                let members = start..evidence.members.len() as u32;
                evidence.records.push(Record { members, ..record.clone() });
            } else {
                evidence.identifiers.push(self.identifiers[piece]);
            }
        }
        evidence
    }

    fn pieces(&self) -> usize {
        self.identifiers.len() + self.records.len() + self.links.len()
    }
}

fn rules(random: &mut ChaCha8Rng) -> Rules {
    let mut limits = || {
        let fan_out = random.random_bool(0.7).then(|| random.random_range(0..7));
        let per_customer = random.random_bool(0.4).then(|| random.random_range(0..4));
        Limits { fan_out, per_customer, priority: random.random_range(0..3) }
    };
    let default = limits();
    let namespaces = (0..SPACES).filter(|space| space % 2 == 0).map(|space| (space, limits()));
    Rules { default, namespaces: namespaces.collect() }
}

/// Customers of before and after, as the model's own account of merges and splits.
fn expected(before: &Answer, after: &Answer) -> [BTreeSet<(Node, Node)>; 2] {
    let (mut merges, mut splits) = (BTreeSet::new(), BTreeSet::new());
    let now = |node| after.customers.get(&node).copied().unwrap_or(0);
    for (&node, &old) in before.customers.iter().filter(|(_, old)| **old != 0) {
        match now(node) {
            new if new == 0 || new == old => {}
            new if now(old) == new => drop(merges.insert((new, old))),
            new => drop(splits.insert((old, new))),
        }
    }
    [merges, splits]
}

fn check_changes(changes: &Changes, before: &Answer, after: &Answer, model: &Model) {
    let [merges, splits] = expected(before, after);
    let told = changes.merges.iter().map(|merge| (merge.survivor, merge.absorbed));
    assert_eq!(told.collect::<Vec<_>>(), merges.into_iter().collect::<Vec<_>>());
    let told = changes.splits.iter().map(|split| (split.from, split.part));
    assert_eq!(told.collect::<Vec<_>>(), splits.into_iter().collect::<Vec<_>>());
    let known = |node: &&Node| model.identifiers.contains_key(*node);
    let news = after.quarantined.difference(&before.quarantined).copied();
    assert_eq!(changes.quarantined, news.collect::<Vec<_>>());
    let old = before.quarantined.difference(&after.quarantined).filter(known).copied();
    assert_eq!(changes.released, old.collect::<Vec<_>>());
}

fn check_answers(graph: &mut Graph, model: &Model, answer: &Answer, world: &World) {
    let assignment = graph.assignment();
    let mut members: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for &node in &world.nodes {
        let expected = answer.customers.get(&node).copied();
        assert_eq!(assignment.known(node), expected.is_some(), "known {node}");
        assert_eq!(assignment.customer(node), expected.unwrap_or(0), "customer of {node}");
        assert_eq!(graph.status(node), model.status(node), "status of {node}");
        if let Some(identifier) = model.identifiers.get(&node) {
            assert_eq!(graph.degree(node), model.degree(node), "degree of {node}");
            assert_eq!(graph.namespace(node), Some(identifier.namespace));
            let records = graph.records_of(node).collect::<BTreeSet<_>>();
            let naming = model.records.iter().filter(|(_, row)| row.members.contains(&node));
            assert_eq!(records, naming.map(|(&node, _)| node).collect());
        }
        let told = graph.members(node).iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(told, model.records.get(&node).map_or(BTreeSet::new(), |r| r.members.clone()));
    }
    for (&node, &customer) in answer.customers.iter().filter(|(_, customer)| **customer != 0) {
        members.entry(customer).or_default().push(node);
    }
    assert_eq!(assignment.nodes(), answer.customers.len());
    assert_eq!(
        assignment.customers().collect::<Vec<_>>(),
        members.keys().copied().collect::<Vec<_>>()
    );
    for (&customer, nodes) in &members {
        assert_eq!(&assignment.members(customer), nodes);
    }
    model.check_limits(&answer.customers);
    let name = |via: &Via, identifier: Node| format!("{via:?} {identifier}");
    let mut told = graph.conflicts().map(|c| name(&c.via, c.identifier)).collect::<Vec<_>>();
    let refused = answer.refused.iter();
    let mut refused = refused.map(|(via, end, _)| name(via, *end)).collect::<Vec<_>>();
    told.sort_unstable();
    refused.sort_unstable();
    assert_eq!(told.len(), refused.len());
    // A link's first end depends on which of two equal links came first.
    told.retain(|each| each.starts_with("Record"));
    refused.retain(|each| each.starts_with("Record"));
    assert_eq!(told, refused);
}

fn check_path(graph: &Graph, model: &Model, answer: &Answer, a: Node, b: Node) {
    let path = graph.path(a, b);
    let Some(distance) = model.distance(answer, a, b) else {
        assert_eq!(path, None);
        return;
    };
    let path = path.unwrap();
    let mut at = a;
    let mut edges = 0;
    for &Step { from, to, via } in &path {
        assert_eq!(at, from);
        at = to;
        match via {
            Via::Record(record) => {
                let row = &model.records[&record];
                for end in [from, to] {
                    assert!(end == record || row.members.contains(&end));
                    assert_eq!(answer.customers[&end], answer.customers[&a]);
                    edges += usize::from(end != record);
                }
                assert_eq!(answer.customers[&record], answer.customers[&a]);
            }
            Via::Link(link) => {
                assert!(!link.is_split() && [link.a, link.b].contains(&from));
                assert!(link.other(from) == to && model.links.iter().any(|l| l.kind == link.kind));
                edges += 1;
            }
        }
    }
    assert_eq!((at, edges), (b, distance));
}

/// One stream, watched after every call: settled, rebuilt, and as it decides for itself.
fn watch(size: usize, seed: u64) {
    let world = World::new(size, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed + 1_000_000);
    let mut model = Model { rules: rules(&mut random), ..Model::default() };
    let mut graphs = [usize::MAX, 0, size].map(|bulk| {
        let mut graph = Graph::new(model.rules.clone());
        graph.bulk = bulk;
        graph
    });
    let mut before = model.answer();
    let mut held = Vec::new();
    for _ in 0..30 {
        held.extend(graphs.each_mut().map(|graph| {
            let assignment = graph.assignment();
            let customers = world.nodes.iter().map(|node| assignment.customer(*node));
            let customers = customers.collect::<Vec<_>>();
            (assignment, customers)
        }));
        graphs.iter_mut().for_each(|graph| check_tentatively(graph, &world, &mut random));
        let told = step(&mut graphs, &mut model, &world, &mut random);
        let answer = model.answer();
        for (graph, changes) in graphs.iter_mut().zip(&told) {
            check_changes(changes, &before, &answer, &model);
            check_answers(graph, &model, &answer, &world);
            for _ in 0..3 {
                let a = *world.nodes.choose(&mut random).unwrap();
                let b = *world.nodes.choose(&mut random).unwrap();
                check_path(graph, &model, &answer, a, b);
            }
        }
        before = answer;
    }
    for (assignment, customers) in held {
        assert!(world.nodes.iter().map(|node| assignment.customer(*node)).eq(customers));
    }
}

/// Evidence that is tried says what it would say; what follows shows that nothing of it stays.
fn check_tentatively(graph: &mut Graph, world: &World, random: &mut ChaCha8Rng) {
    let count = random.random_range(1..=world.pieces() / 3 + 1);
    let pieces = (0..count).map(|_| random.random_range(0..world.pieces()));
    let evidence = world.evidence(pieces.collect::<Vec<_>>());
    let mut node = || *world.nodes.choose(random).unwrap();
    let unlinked = (0..3).map(|_| (node(), node())).collect::<Vec<_>>();
    let links = graph.store.all_links().map(|link| (link.b, link.a)).take(2);
    let unlinked = links.chain(unlinked).collect::<Vec<_>>();
    let mut other = graph.clone();
    for (a, b) in &unlinked {
        other.unlink(*a, *b);
    }
    other.apply(&evidence);
    let customers = |graph: &mut Graph| {
        let of = |node: &Node| graph.customer(*node);
        world.nodes.iter().map(of).collect::<Vec<_>>()
    };
    let before = customers(graph);
    let told = graph.tentatively(&evidence, &unlinked, customers);
    assert_eq!(told, customers(&mut other));
    assert_eq!(customers(graph), before);
}

/// One random call, to the graphs and to the model.
fn step(
    graphs: &mut [Graph; 3],
    model: &mut Model,
    world: &World,
    random: &mut ChaCha8Rng,
) -> [Changes; 3] {
    let some = |random: &mut ChaCha8Rng, most: usize| {
        let count = random.random_range(1..=most);
        let picked = (0..count).map(|_| *world.nodes.choose(random).unwrap());
        picked.collect::<Vec<_>>()
    };
    match random.random_range(0..12) {
        0 => {
            let rules = rules(random);
            model.rules = rules.clone();
            graphs.each_mut().map(|graph| graph.set_rules(rules.clone()))
        }
        1 => {
            let (nodes, blocked) = (some(random, 3), random.random_bool(0.3));
            for node in &nodes {
                let identifier = model.identifiers.get_mut(node);
                identifier.into_iter().for_each(|identifier| identifier.blocked = blocked);
            }
            graphs.each_mut().map(|graph| graph.set_blocked(&nodes, blocked))
        }
        2 => {
            let nodes = some(random, 3);
            model.remove(&nodes);
            graphs.each_mut().map(|graph| graph.remove(&nodes))
        }
        3 | 4 if !world.links.is_empty() => {
            let link = world.links.choose(random).unwrap();
            model.unlink(link.a, link.b);
            graphs.each_mut().map(|graph| graph.unlink(link.b, link.a))
        }
        _ => {
            let most = *[1, 3, 10, world.pieces() / 3].choose(random).unwrap();
            let count = random.random_range(1..=most.max(1));
            let pieces = (0..count).map(|_| random.random_range(0..world.pieces()));
            let evidence = world.evidence(pieces.collect::<Vec<_>>());
            model.apply(&evidence);
            graphs.each_mut().map(|graph| graph.apply(&evidence))
        }
    }
}

#[test]
fn every_call_gives_what_the_model_gives() {
    let streams = std::env::var("GRAPH_STREAMS").map_or(100, |text| text.parse().unwrap());
    for seed in 0..streams {
        watch(3 + (seed as usize * 7) % 23, seed);
    }
}

/// The same evidence in two orders, under other numbers, and in batches of any size.
#[test]
fn order_and_batches_do_not_matter() {
    for seed in 0..200 {
        let size = 3 + (seed as usize * 5) % 40;
        let world = World::new(size, seed);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let rules = rules(&mut random);
        let mut order = (0..world.pieces()).collect::<Vec<_>>();
        let deliver = |order: &[usize], sizes: &mut dyn FnMut() -> usize, bulk: usize| {
            let mut graph = Graph::new(rules.clone());
            graph.bulk = bulk;
            let mut rest = order;
            while !rest.is_empty() {
                let (batch, left) = rest.split_at(sizes().min(rest.len()));
                graph.apply(&world.evidence(batch.iter().copied()));
                rest = left;
            }
            let assignment = graph.assignment();
            world.nodes.iter().map(|node| assignment.customer(*node)).collect::<Vec<_>>()
        };
        let whole = deliver(&order, &mut || usize::MAX, 0);
        for bulk in [0, 20, usize::MAX] {
            order.shuffle(&mut random);
            assert_eq!(deliver(&order, &mut || 1, bulk), whole, "seed {seed}");
            let mut sizes = || random.random_range(1..20);
            assert_eq!(deliver(&order, &mut sizes, bulk), whole, "seed {seed}");
        }
    }
}

/// Which nodes are together does not depend on the numbers that they got.
#[test]
fn numbers_do_not_matter() {
    for seed in 0..200 {
        let world = World::new(30, seed);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let rules = rules(&mut random);
        let mut numbers = (1..=world.nodes.len() as Node).collect::<Vec<_>>();
        numbers.shuffle(&mut random);
        let other = |node: Node| numbers[node as usize - 1];
        let evidence = world.evidence(0..world.pieces());
        let mut renumbered = evidence.clone();
        renumbered.identifiers.iter_mut().for_each(|each| each.node = other(each.node));
        renumbered.records.iter_mut().for_each(|each| each.node = other(each.node));
        renumbered.members.iter_mut().for_each(|each| *each = other(*each));
        for link in &mut renumbered.links {
            (link.a, link.b) = (other(link.a), other(link.b));
        }
        let [one, two] = [&evidence, &renumbered].map(|evidence| {
            let mut graph = Graph::new(rules.clone());
            graph.apply(evidence);
            graph.assignment()
        });
        for customer in one.customers() {
            let members = one.members(customer);
            let mut expected = members.iter().map(|node| other(*node)).collect::<Vec<_>>();
            expected.sort_unstable();
            assert_eq!(two.members(expected[0]), expected, "seed {seed}");
        }
        assert_eq!(one.customers().count(), two.customers().count());
    }
}
