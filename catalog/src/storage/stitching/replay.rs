//! What is stored → what the graphs are told, at once or in the order in which it came.

use std::collections::{BTreeMap, HashMap};

use clientele_identity::graph::{Evidence, Identifier, Key, Link, Node, Record};

use super::rules::{Blocked, BlockedOf};
use super::stored::{Stored, StoredLink, StoredNode, StoredRecord};
use crate::catalog::Catalog;
use crate::definition::Oid;
use crate::domains::Subject;

/// Evidence of both subjects: people, companies.
pub(super) type Both = [Evidence; 2];

/// What came at one instant.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) evidence: Both,
    /// Pairs of which nothing is said any more.
    pub(super) unlinked: [Vec<(Node, Node)>; 2],
}

/// Turns rows into evidence.
struct Teller<'a> {
    catalog: &'a Catalog,
    blocked: &'a Blocked,
    patterns: HashMap<Oid, BlockedOf<'a>>,
    /// Keys of identifiers, which those of records are made from.
    keys: [HashMap<Node, Key>; 2],
}

impl Stored {
    /// What holds at an instant (microseconds since 1970), or now, at once.
    pub(super) fn evidence(self, catalog: &Catalog, blocked: &Blocked, until: Option<i64>) -> Both {
        let mut links: Vec<StoredLink> = self.links;
        let until = until.unwrap_or(i64::MAX);
        links.retain(|one| one.at <= until);
        links.sort_by_key(|one| one.at);
        let mut said: BTreeMap<(usize, Node, Node), Vec<Link>> = BTreeMap::new();
        for one in links {
            let (a, b) = one.ends;
            let said = said.entry((one.subject as usize, a.min(b), a.max(b))).or_default();
            match one.kind {
                Some(kind) => said.push(Link { a, b, kind }),
                None => said.clear(),
            }
        }
        let mut teller = Teller::new(catalog, blocked);
        let mut both = Both::default();
        let nodes = self.nodes.into_iter().filter(|one| one.at <= until);
        nodes.for_each(|one| teller.identifier(one, &mut both));
        let records = self.records.into_iter().filter(|one| one.at <= until);
        records.for_each(|one| teller.record(one, &mut both));
        for ((subject, _, _), links) in said {
            both[subject].links.extend(links);
        }
        both
    }

    /// Everything in the order in which it came: by instant.
    pub(super) fn steps(self, catalog: &Catalog, blocked: &Blocked) -> BTreeMap<i64, Step> {
        let mut steps: BTreeMap<i64, Step> = BTreeMap::new();
        let mut teller = Teller::new(catalog, blocked);
        for one in self.nodes {
            let at = one.at;
            teller.identifier(one, &mut steps.entry(at).or_default().evidence);
        }
        for one in self.records {
            let at = one.at;
            teller.record(one, &mut steps.entry(at).or_default().evidence);
        }
        for one in self.links {
            let step = steps.entry(one.at).or_default();
            let (a, b) = one.ends;
            match one.kind {
                Some(kind) => step.evidence[one.subject as usize].links.push(Link { a, b, kind }),
                None => step.unlinked[one.subject as usize].push(one.ends),
            }
        }
        steps
    }
}

impl<'a> Teller<'a> {
    fn new(catalog: &'a Catalog, blocked: &'a Blocked) -> Self {
        Self { catalog, blocked, patterns: HashMap::new(), keys: Default::default() }
    }

    fn identifier(&mut self, one: StoredNode, both: &mut Both) {
        let key = Key::of_identifier(one.namespace, &one.value);
        let patterns = self
            .patterns
            .entry(one.namespace)
            .or_insert_with(|| self.blocked.of(self.catalog, one.namespace));
        self.keys[one.subject as usize].insert(one.node, key);
        both[one.subject as usize].identifiers.push(Identifier {
            node: one.node,
            key,
            namespace: one.namespace,
            blocked: patterns.blocks(&one.value),
        });
    }

    fn record(&self, one: StoredRecord, both: &mut Both) {
        let keys = &self.keys[one.subject as usize];
        let of_members = || {
            let keys = one.members.iter().filter_map(|member| keys.get(member).copied());
            Key::of_record(one.source, &keys.collect::<Vec<Key>>())
        };
        let key = one.content.unwrap_or_else(of_members);
        let evidence = &mut both[one.subject as usize];
        let start = u32::try_from(evidence.members.len()).unwrap_or(u32::MAX);
        evidence.members.extend(one.members);
        let end = u32::try_from(evidence.members.len()).unwrap_or(u32::MAX);
        let standalone = one.content.is_some();
        evidence.records.push(Record { node: one.node, key, members: start..end, standalone });
    }
}

/// Both subjects with their place in a pair.
pub(super) fn subjects() -> impl Iterator<Item = (usize, Subject)> {
    Subject::ALL.into_iter().map(|subject| (subject as usize, subject))
}
