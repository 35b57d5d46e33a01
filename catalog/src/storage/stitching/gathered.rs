//! What a transaction saw for the first time.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use clientele_identity::graph::{Evidence, Identifier, Link, Node, Record};
use roaring::RoaringBitmap;

use crate::definition::Oid;
use crate::domains::Subject;

/// New identifiers and records of both subjects.
#[derive(Debug, Default, Clone)]
pub(in crate::storage) struct Gathered {
    pub(super) person: New,
    pub(super) company: New,
}

/// New identifiers and records of one subject.
#[derive(Debug, Default, Clone)]
pub(super) struct New {
    pub(super) evidence: Evidence,
    /// Value and source of each identifier in the evidence. Values that were written to a file are
    /// let go.
    values: Vec<Box<str>>,
    value_sources: Vec<Oid>,
    withdrawals: Vec<Withdrawal>,
    /// Nodes of people who were erased.
    pub(super) forgotten: Vec<Node>,
    /// Source of each record in the evidence.
    pub(super) sources: Vec<Oid>,
    /// Nodes that are in the evidence.
    seen: RoaringBitmap,
}

/// What was said of a pair is taken back.
#[derive(Debug, Clone, Copy)]
struct Withdrawal {
    ends: (Node, Node),
    /// How many links were gathered before: what is said of the pair later counts.
    links: usize,
}

/// How much was gathered at some point of a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::storage) struct Mark([[usize; 5]; 2]);

impl Mark {
    /// How many identifiers and records came before.
    pub(in crate::storage) fn nodes(self) -> usize {
        self.0.iter().map(|[identifiers, records, ..]| identifiers + records).sum()
    }
}

/// What was gathered of one subject since a mark.
pub(super) struct Since<'a> {
    pub(super) identifiers: &'a [Identifier],
    /// Value and source of each identifier.
    pub(super) values: &'a [Box<str>],
    pub(super) value_sources: &'a [Oid],
    pub(super) records: &'a [Record],
    /// Source of each record.
    pub(super) sources: &'a [Oid],
    /// Of all records.
    members: &'a [Node],
}

impl<'a> Since<'a> {
    /// The identifiers on a record.
    pub(super) fn members(&self, record: &Record) -> &'a [Node] {
        let range = record.members.start as usize..record.members.end as usize;
        self.members.get(range).unwrap_or_default()
    }
}

impl Gathered {
    pub(super) fn of(&mut self, subject: Subject) -> &mut New {
        match subject {
            Subject::Person => &mut self.person,
            Subject::Company => &mut self.company,
        }
    }

    pub(super) fn found(&self, subject: Subject) -> &New {
        match subject {
            Subject::Person => &self.person,
            Subject::Company => &self.company,
        }
    }

    /// Whether nothing new was seen.
    pub(in crate::storage) fn is_empty(&self) -> bool {
        self.person.is_empty() && self.company.is_empty()
    }

    /// Has nodes taken out of the graph.
    pub(in crate::storage) fn forget(
        &mut self,
        subject: Subject,
        nodes: impl Iterator<Item = Node>,
    ) {
        self.of(subject).forgotten.extend(nodes);
    }

    /// The nodes that are to be taken out of the graph.
    pub(in crate::storage) fn forgotten(&self, subject: Subject) -> &[Node] {
        &self.found(subject).forgotten
    }

    /// Whether anything that was gathered names one of the nodes.
    pub(in crate::storage) fn names(&self, subject: Subject, nodes: &HashSet<Node>) -> bool {
        let new = self.found(subject);
        let identifiers = new.evidence.identifiers.iter().map(|one| one.node);
        let links = new.evidence.links.iter().flat_map(|one| [one.a, one.b]);
        let unlinked = new.unlinked().flat_map(|(a, b)| [a, b]);
        let members = new.evidence.members.iter().copied();
        let all = identifiers.chain(members).chain(links).chain(unlinked);
        let mut all = all.chain(new.forgotten.iter().copied());
        all.any(|node| nodes.contains(&node))
    }

    /// Takes in what was gathered beside.
    pub(in crate::storage) fn absorb(&mut self, other: Self) {
        self.person.absorb(other.person);
        self.company.absorb(other.company);
    }

    /// How much there is.
    pub(in crate::storage) fn mark(&self) -> Mark {
        Mark([self.person.mark(), self.company.mark()])
    }

    /// The identifiers and records that came after a mark, of people and of companies.
    pub(super) fn since(&self, mark: Mark) -> [Since<'_>; 2] {
        [self.person.since(mark.0[0]), self.company.since(mark.0[1])]
    }

    /// Lets go of the values that came after a mark: they are written down.
    pub(in crate::storage) fn let_go(&mut self, mark: Mark) {
        for (new, [identifiers, ..]) in
            [&mut self.person, &mut self.company].into_iter().zip(mark.0)
        {
            new.values.iter_mut().skip(identifiers).for_each(|value| *value = Box::default());
        }
    }

    /// Forgets what came after a mark.
    pub(in crate::storage) fn back_to(&mut self, mark: Mark) {
        self.person.back_to(mark.0[0]);
        self.company.back_to(mark.0[1]);
    }
}

impl New {
    pub(super) fn is_empty(&self) -> bool {
        self.evidence.identifiers.is_empty()
            && self.evidence.records.is_empty()
            && self.evidence.links.is_empty()
            && self.withdrawals.is_empty()
            && self.forgotten.is_empty()
    }

    /// Adds an identifier, unless it is there.
    pub(super) fn identifier(&mut self, one: Identifier, value: impl Into<Box<str>>, source: Oid) {
        if self.seen.insert(one.node) {
            self.evidence.identifiers.push(one);
            self.values.push(value.into());
            self.value_sources.push(source);
        }
    }

    /// Adds a record with its members, unless it is there.
    pub(super) fn record(&mut self, one: Record, members: &[Node], source: Oid) {
        if self.seen.insert(one.node) {
            let start = u32::try_from(self.evidence.members.len()).unwrap_or(u32::MAX);
            self.evidence.members.extend_from_slice(members);
            let end = u32::try_from(self.evidence.members.len()).unwrap_or(u32::MAX);
            self.evidence.records.push(Record { members: start..end, ..one });
            self.sources.push(source);
        }
    }

    /// Says something of a pair.
    pub(super) fn link(&mut self, link: Link) {
        self.evidence.links.push(link);
    }

    /// Takes back what was said of a pair until now.
    pub(super) fn unlink(&mut self, ends: (Node, Node)) {
        self.withdrawals.push(Withdrawal { ends, links: self.evidence.links.len() });
    }

    /// Pairs of which what was said before the transaction is taken back.
    pub(super) fn unlinked(&self) -> impl Iterator<Item = (Node, Node)> {
        self.withdrawals.iter().map(|one| one.ends)
    }

    /// The evidence without the links that were taken back. They stay in what was gathered: a
    /// savepoint may bring them again.
    pub(super) fn standing(&self) -> Cow<'_, Evidence> {
        if self.withdrawals.is_empty() || self.evidence.links.is_empty() {
            return Cow::Borrowed(&self.evidence);
        }
        let pair = |(a, b): (Node, Node)| (a.min(b), a.max(b));
        // The last withdrawal of a pair comes last.
        let until: HashMap<(Node, Node), usize> =
            self.withdrawals.iter().map(|one| (pair(one.ends), one.links)).collect();
        let mut evidence = self.evidence.clone();
        let mut place = 0..;
        evidence.links.retain(|link| {
            let until = until.get(&pair((link.a, link.b))).copied().unwrap_or(0);
            place.next().is_some_and(|place| place >= until)
        });
        Cow::Owned(evidence)
    }

    fn absorb(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let Self { evidence, values, value_sources, sources, withdrawals, forgotten, .. } = other;
        let values = values.into_iter().zip(value_sources);
        for (one, (value, source)) in evidence.identifiers.into_iter().zip(values) {
            self.identifier(one, value, source);
        }
        for (one, source) in evidence.records.into_iter().zip(sources) {
            let members = one.members.start as usize..one.members.end as usize;
            let members = evidence.members.get(members).unwrap_or_default();
            self.record(one, members, source);
        }
        let links = self.evidence.links.len();
        let later = |one: Withdrawal| Withdrawal { links: links + one.links, ..one };
        self.withdrawals.extend(withdrawals.into_iter().map(later));
        self.evidence.links.extend(evidence.links);
        self.forgotten.extend(forgotten);
    }

    fn mark(&self) -> [usize; 5] {
        let evidence = &self.evidence;
        let (identifiers, records) = (evidence.identifiers.len(), evidence.records.len());
        let forgotten = self.forgotten.len();
        [identifiers, records, evidence.links.len(), self.withdrawals.len(), forgotten]
    }

    fn since(&self, [identifiers, records, ..]: [usize; 5]) -> Since<'_> {
        Since {
            identifiers: self.evidence.identifiers.get(identifiers..).unwrap_or_default(),
            values: self.values.get(identifiers..).unwrap_or_default(),
            value_sources: self.value_sources.get(identifiers..).unwrap_or_default(),
            records: self.evidence.records.get(records..).unwrap_or_default(),
            sources: self.sources.get(records..).unwrap_or_default(),
            members: &self.evidence.members,
        }
    }

    fn back_to(&mut self, [identifiers, records, links, withdrawals, forgotten]: [usize; 5]) {
        self.forgotten.truncate(forgotten);
        for one in self.evidence.identifiers.drain(identifiers..) {
            self.seen.remove(one.node);
        }
        for one in self.evidence.records.drain(records..) {
            self.seen.remove(one.node);
        }
        self.values.truncate(identifiers);
        self.value_sources.truncate(identifiers);
        self.sources.truncate(records);
        self.evidence.links.truncate(links);
        self.withdrawals.truncate(withdrawals);
        let members = self.evidence.records.last().map_or(0, |one| one.members.end as usize);
        self.evidence.members.truncate(members);
    }
}
