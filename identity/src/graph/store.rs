//! All evidence, in flat arrays.

use std::hint::black_box;

use hashbrown::HashMap;

use super::row::Row;
use super::{Identifier, Link, LinkKind, Node};

/// A place in [`Store::members`]: whose it is, and the identifier's next older place.
#[derive(Clone, Copy)]
struct Place {
    record: Node,
    /// One more than the next place, or 0.
    next: u32,
}

/// Identifiers, records, who names whom, and links.
#[derive(Clone, Default)]
pub(super) struct Store {
    /// By node.
    pub(super) rows: Vec<Row>,
    /// By node: half of the content key, which orders what must not be ordered by arrival.
    pub(super) keys: Vec<u64>,
    /// The identifiers of all records, one record after another. What forgotten records leave
    /// behind stays until the graph is built anew.
    members: Vec<Node>,
    /// Parallel to `members`.
    places: Vec<Place>,
    /// The links of each of their ends.
    links: HashMap<Node, Vec<Link>>,
}

impl Store {
    pub(super) fn row(&self, node: Node) -> Row {
        self.rows.get(node as usize).copied().unwrap_or_default()
    }

    /// Makes room for a batch.
    pub(super) fn reserve(&mut self, nodes: usize, members: usize) {
        self.rows.reserve(nodes);
        self.keys.reserve(nodes);
        self.members.reserve(members);
        self.places.reserve(members);
    }

    /// Reads the rows of several nodes before they are needed: the misses overlap.
    pub(super) fn fetch<'a>(&self, nodes: impl Iterator<Item = &'a Node>) {
        let rows = nodes.filter_map(|node| self.rows.get(*node as usize));
        black_box(rows.fold(0, |sum: u32, row| sum ^ row.count));
    }

    /// Makes `node` addressable.
    pub(super) fn extend_to(&mut self, node: Node) {
        if node as usize >= self.rows.len() {
            self.rows.resize(node as usize + 1, Row::default());
            self.keys.resize(node as usize + 1, 0);
        }
    }

    pub(super) fn add_identifier(&mut self, identifier: &Identifier, space: u32) {
        let row = &mut self.rows[identifier.node as usize];
        row.parent = identifier.node;
        row.set(Row::IDENTIFIER);
        row.set_space(space);
        if identifier.blocked {
            row.set(Row::BLOCKED);
        }
        self.keys[identifier.node as usize] = identifier.key.0 as u64;
    }

    /// Adds a record that names `members`, each at most once; node 0 names nobody.
    pub(super) fn add_record(&mut self, record: Node, members: &[Node], flags: u32) {
        let start = self.members.len();
        for (position, &member) in members.iter().enumerate() {
            if member == 0 || member == record || members[..position].contains(&member) {
                continue;
            }
            self.members.push(member);
            let head = &mut self.rows[member as usize].head;
            self.places.push(Place { record, next: *head });
            *head = self.members.len() as u32;
        }
        let count = self.members.len() - start;
        for place in start..self.members.len() {
            let row = &mut self.rows[self.members[place] as usize];
            row.count = row.count.saturating_add(count as u32 - 1);
        }
        let row = &mut self.rows[record as usize];
        (row.parent, row.head, row.count) = (record, start as u32, count as u32);
        row.set(Row::RECORD | flags);
    }

    pub(super) fn members(&self, record: Node) -> &[Node] {
        let row = self.row(record);
        let start = row.head as usize;
        if row.is(Row::RECORD) { &self.members[start..start + row.count as usize] } else { &[] }
    }

    /// The records that name `node`, newest first.
    pub(super) fn records_of(&self, node: Node) -> impl Iterator<Item = Node> {
        let row = self.row(node);
        let mut head = if row.is(Row::RECORD) { 0 } else { row.head };
        std::iter::from_fn(move || {
            while head != 0 {
                let place = head - 1;
                let Place { record, next } = self.places[place as usize];
                head = next;
                let row = self.rows[record as usize];
                if row.is(Row::RECORD) && (row.head..row.head + row.count).contains(&place) {
                    return Some(record);
                }
            }
            None
        })
    }

    pub(super) fn links(&self, node: Node) -> &[Link] {
        match self.row(node).is(Row::LINKED) {
            true => self.links.get(&node).map_or(&[], Vec::as_slice),
            false => &[],
        }
    }

    /// The links between two nodes.
    pub(super) fn links_between(&self, (a, b): (Node, Node)) -> Vec<Link> {
        self.links(a).iter().filter(|link| link.other(a) == b).copied().collect()
    }

    /// Every link once.
    pub(super) fn all_links(&self) -> impl Iterator<Item = &Link> {
        let ends = self.links.iter();
        ends.flat_map(|(&end, links)| links.iter().filter(move |link| link.a == end))
    }

    /// Adds a link; `false` if it says nothing new. Of two matches the heavier stands.
    pub(super) fn add_link(&mut self, link: Link) -> bool {
        let mut news = false;
        for end in [link.a, link.b] {
            let links = self.links.entry(end).or_default();
            let same = |old: &&mut Link| {
                old.other(end) == link.other(end)
                    && std::mem::discriminant(&old.kind) == std::mem::discriminant(&link.kind)
            };
            match links.iter_mut().find(same) {
                None => links.push(link),
                Some(old) if weight(old) < weight(&link) => old.kind = link.kind,
                Some(_) => continue,
            }
            news = true;
            let severed = if link.is_split() { Row::SEVERED } else { 0 };
            self.rows[end as usize].set(Row::LINKED | severed);
        }
        news
    }

    /// Forgets the links between two nodes; `false` if there are none.
    pub(super) fn remove_links(&mut self, a: Node, b: Node) -> bool {
        let mut removed = false;
        for (end, other) in [(a, b), (b, a)] {
            let Some(links) = self.links.get_mut(&end) else { continue };
            removed |= links.extract_if(.., |link| link.other(end) == other).count() > 0;
            let row = &mut self.rows[end as usize];
            if !links.iter().any(Link::is_split) {
                row.clear(Row::SEVERED);
            }
            if links.is_empty() {
                row.clear(Row::LINKED);
                self.links.remove(&end);
            }
        }
        removed
    }

    /// Makes the newest node what it was before it was added; a record's identifiers are returned.
    pub(super) fn withdraw(&mut self, node: Node, before: Row) -> Vec<Node> {
        let row = self.row(node);
        let mut named = Vec::new();
        if row.is(Row::RECORD) {
            named = self.members.split_off(row.head as usize);
            let places = self.places.split_off(row.head as usize);
            for (member, place) in named.iter().zip(places) {
                let member = &mut self.rows[*member as usize];
                member.head = place.next;
                member.count = member.count.saturating_sub(row.count - 1);
            }
        }
        self.rows[node as usize] = before;
        self.keys[node as usize] = 0;
        named
    }

    /// Forgets a node; what names it must have been forgotten before.
    pub(super) fn forget(&mut self, node: Node) {
        self.rows[node as usize] = Row::default();
        self.keys[node as usize] = 0;
    }
}

fn weight(link: &Link) -> f32 {
    match link.kind {
        LinkKind::Matched { weight } => weight,
        LinkKind::Merged | LinkKind::Split => 0.0,
    }
}
