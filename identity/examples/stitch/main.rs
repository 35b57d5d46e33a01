//! What stitching a large, poisoned graph costs, beside a bare union–find over the same edges.
//!
//! ```sh
//! cargo run --release -p clientele-identity --example stitch        # the whole, some 3 GB
//! cargo run --release -p clientele-identity --example stitch 0.1    # a tenth
//! ```

mod people;

use std::io::{Result, Write, stdout};
use std::time::Instant;

use clientele_identity::graph::{
    Assignment, Evidence, Graph, Identifier, Key, Limits, Node, Nodes, Record, Rules,
};
use people::People;

/// A stage's CPU-seconds on this thread, wall and memory, printed when it ends.
fn stage<T>(name: &str, work: impl FnOnce() -> T) -> Result<T> {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let result = work();
    let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
    writeln!(stdout(), "{name:<52} {cpu:>9.4} CPU-s {wall:>9.4} s {:>6} MB", memory())?;
    Ok(result)
}

/// On-CPU time of this thread, from the kernel's scheduler.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// Resident megabytes.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// The values of all identifiers, one after another.
struct Values {
    text: String,
    starts: Vec<u32>,
    kinds: Vec<u8>,
}

impl Values {
    fn new(people: &People) -> Self {
        let (mut text, mut starts, mut kinds) = (String::new(), vec![0], Vec::new());
        for identifier in 0..people.identifiers() {
            text.push_str(&people.value(identifier));
            starts.push(text.len() as u32);
            kinds.push(people.kind(identifier) as u8);
        }
        Self { text, starts, kinds }
    }

    fn key(&self, identifier: u32) -> Key {
        let (start, end) = (self.starts[identifier as usize], self.starts[identifier as usize + 1]);
        Key::of_identifier(self.namespace(identifier), &self.text[start as usize..end as usize])
    }

    fn namespace(&self, identifier: u32) -> u32 {
        u32::from(self.kinds[identifier as usize])
    }
}

/// The keys of a batch of rows: two identifiers and the record of each.
fn hash(values: &Values, edges: &[[u32; 2]]) -> Vec<Key> {
    let mut keys = Vec::with_capacity(edges.len() * 3);
    for edge in edges {
        let ends = edge.map(|end| values.key(end));
        keys.extend(ends);
        keys.push(Key::of_record(1, &ends));
    }
    keys
}

/// The evidence of a batch of rows. What an earlier row or batch told is not told again.
fn evidence(values: &Values, edges: &[[u32; 2]], keys: &[Key], nodes: &[Node]) -> Evidence {
    let mut evidence = Evidence::default();
    let mut last = nodes.iter().copied().min().unwrap_or(0);
    for ((edge, keys), nodes) in edges.iter().zip(keys.chunks(3)).zip(nodes.chunks(3)) {
        for place in 0..2 {
            // Numbers are given in order of occurrence: only a larger one is new.
            if nodes[place] >= last {
                last = nodes[place] + 1;
                let namespace = values.namespace(edge[place]);
                let (node, key) = (nodes[place], keys[place]);
                evidence.identifiers.push(Identifier { node, key, namespace, blocked: false });
            }
        }
        last = last.max(nodes[2] + 1);
        let start = evidence.members.len() as u32;
        evidence.members.extend(&nodes[..2]);
        let (node, key) = (nodes[2], keys[2]);
        let members = start..start + 2;
        evidence.records.push(Record { node, key, members, standalone: false });
    }
    evidence
}

/// The floor: nothing but the unions.
fn union_find(pairs: &[[Node; 2]], end: usize) -> Vec<Node> {
    fn find(parents: &mut [Node], mut node: Node) -> Node {
        while parents[node as usize] != node {
            parents[node as usize] = parents[parents[node as usize] as usize];
            node = parents[node as usize];
        }
        node
    }
    let mut parents = (0..end as Node).collect::<Vec<_>>();
    for &[a, b] in pairs {
        let (a, b) = (find(&mut parents, a), find(&mut parents, b));
        parents[a.max(b) as usize] = a.min(b);
    }
    parents
}

/// The same evidence in batches of so many rows.
fn batches(told: &Evidence, rows: usize) -> Vec<Evidence> {
    let mut identifiers = told.identifiers.iter().copied().peekable();
    let batch = |records: &[Record]| {
        let mut batch = Evidence::default();
        for record in records {
            let start = batch.members.len() as u32;
            let members = &told.members[record.members.start as usize..record.members.end as usize];
            batch.members.extend(members);
            let members = start..batch.members.len() as u32;
            batch.records.push(Record { members, ..record.clone() });
        }
        let last = batch.members.iter().copied().max().unwrap_or(0);
        let introduced = std::iter::from_fn(|| identifiers.next_if(|each| each.node <= last));
        batch.identifiers.extend(introduced);
        batch
    };
    told.records.chunks(rows).map(batch).collect()
}

fn report(graph: &Graph, assignment: &Assignment, last: Node, poisoned: &[Node]) -> Result<()> {
    let mut sizes = vec![0_u32; last as usize + 1];
    let identifiers = (1..=last).filter(|node| graph.namespace(*node).is_some());
    for node in identifiers {
        sizes[assignment.customer(node) as usize] += 1;
    }
    let largest = sizes[1..].iter().max().copied().unwrap_or(0);
    let quarantined = sizes[0];
    let right = poisoned.iter().filter(|node| assignment.customer(**node) == 0).count();
    let customers = sizes[1..].iter().filter(|size| **size > 0).count();
    let linked = sizes[1..].iter().filter(|size| **size > 1).count();
    writeln!(
        stdout(),
        "{customers} customers, {linked} of two and more identifiers, largest {largest}; \
         {quarantined} quarantined, {right} of the {} poisoned",
        poisoned.len(),
    )
}

/// Small batches into the large graph, with the assignment of before still held.
fn increments(values: &Values, nodes: &Nodes, graph: &mut Graph) -> Result<()> {
    let mut held = graph.assignment();
    let end = values.kinds.len() as u32;
    let mut random = 12_345_u32;
    let mut any = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(random) * u64::from(end)) >> 32) as u32
    };
    for count in [10_000, 10_000, 10_000, 1_000_000] {
        let edges = (0..count).map(|_| [any(), any()]).collect::<Vec<_>>();
        let keys = hash(values, &edges);
        let numbers = stage(&format!("{count} edges: intern"), || nodes.intern(&keys))?;
        let evidence = evidence(values, &edges, &keys, &numbers);
        let changes = stage(&format!("{count} edges: apply"), || graph.apply(&evidence))?;
        held = stage(&format!("{count} edges: assignment"), || graph.assignment())?;
        writeln!(stdout(), "  {} merges", changes.merges.len())?;
    }
    let mut times = Vec::new();
    for _ in 0..5_000 {
        let edges = [[any(), any()]];
        let start = Instant::now();
        let keys = hash(values, &edges);
        let numbers = nodes.intern(&keys);
        graph.apply(&evidence(values, &edges, &keys, &numbers));
        held = graph.assignment();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000 - 1];
    writeln!(stdout(), "one event: p50 {:?}, p99 {:?}, max {:?}", at(500), at(990), at(1000))?;
    let customer = held.customers().nth(1000).unwrap_or(0);
    let members = held.members(customer);
    stage(&format!("removal of a customer of {} nodes", members.len()), || graph.remove(&members))?;
    let strict = Limits { fan_out: Some(200), ..Limits::default() };
    let rules = Rules { default: strict, ..Rules::default() };
    let mut preview = stage("a clone for a preview", || graph.clone())?;
    let changes = stage("  a stricter fan-out in it", || preview.set_rules(rules))?;
    writeln!(stdout(), "  {} splits", changes.splits.len())?;
    drop(held);
    Ok(())
}

fn main() -> Result<()> {
    let scale = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let people = stage("people and edges", || People::new(scale, 1))?;
    let values = stage("values as text", || Values::new(&people))?;
    let edges = &people.edges;
    writeln!(stdout(), "{} identifiers, {} edges", people.identifiers(), edges.len())?;

    let nodes = Nodes::new();
    let keys = stage("text: keys", || hash(&values, edges))?;
    let numbers = stage("text: intern", || nodes.intern(&keys))?;
    let told = stage("text: evidence", || evidence(&values, edges, &keys, &numbers))?;
    drop(keys);
    let pairs = numbers.chunks(3).map(|row| [row[0], row[1]]).collect::<Vec<_>>();
    let found = |&end: &u32| nodes.find(values.key(end)).unwrap_or(0);
    let poisoned = people.poisoned.iter().map(found).collect::<Vec<_>>();
    stage("floor: union-find", || union_find(&pairs, nodes.len() + 1))?;
    drop(pairs);

    let mut graph = Graph::new(Rules::default());
    stage("apply, all at once", || graph.apply(&told))?;
    let assignment = stage("assignment", || graph.assignment())?;
    let last = nodes.len() as Node;
    report(&graph, &assignment, last, &poisoned)?;

    let batches = batches(&told, 1 << 20);
    let mut other = Graph::new(Rules::default());
    stage("apply, in batches of a million rows", || {
        batches.iter().for_each(|batch| drop(other.apply(batch)));
    })?;
    let same = other.assignment();
    let differ = (1..=last).filter(|node| same.customer(*node) != assignment.customer(*node));
    writeln!(stdout(), "  {} nodes differ", differ.count())?;
    drop((other, batches, same, told, assignment));
    increments(&values, &nodes, &mut graph)
}
