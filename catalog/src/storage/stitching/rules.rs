//! The rules in force, from the rows of `identity.rule_changes` and `identity.blocked_values`.

use std::borrow::Cow;
use std::collections::HashMap;

use clientele_identity::graph::{Limits, Rules};
use hashbrown::HashSet;
use regex::RegexSet;

use crate::catalog::Catalog;
use crate::definition::Oid;
use crate::domains::{self, Kind};

/// One row of `identity.rule_changes`.
#[derive(Debug, Clone)]
pub(super) struct RuleChange {
    pub(super) namespace: String,
    pub(super) limits: Limits,
    /// Microseconds since 1970; later ones take the place of earlier ones.
    pub(super) changed_at: i64,
}

/// One row of `identity.blocked_values`.
#[derive(Debug, Clone)]
pub(super) struct BlockedValue {
    pub(super) namespace: String,
    pub(super) pattern: String,
    pub(super) regex: bool,
}

/// Name of the namespace for those without a rule of their own.
const EVERY: &str = "*";

/// Names under which a namespace may have a rule: its domain, what that is over, `*`.
fn names(catalog: &Catalog, namespace: Oid) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(namespace);
    while let Some(domain) = next.and_then(|oid| catalog.domain_by_oid(oid))
        && names.len() < 64
    {
        names.push(domain.name.clone());
        next = domain.parent;
    }
    names.push(EVERY.to_owned());
    names
}

/// The newest change of each name.
fn latest(changes: &[RuleChange]) -> HashMap<&str, &RuleChange> {
    let mut latest: HashMap<&str, &RuleChange> = HashMap::new();
    for change in changes {
        let known = latest.entry(&change.namespace).or_insert(change);
        if change.changed_at >= known.changed_at {
            *known = change;
        }
    }
    latest
}

/// The limits of a namespace, by the name of its domain.
pub(super) fn limits_of(catalog: &Catalog, changes: &[RuleChange], namespace: &str) -> Limits {
    let domain = catalog.domains().find(|domain| domain.name == namespace);
    let names = domain.map_or_else(|| vec![EVERY.to_owned()], |one| names(catalog, one.oid));
    let latest = latest(changes);
    let found = names.iter().find_map(|name| latest.get(name.as_str()));
    found.map(|one| one.limits).unwrap_or_default()
}

/// The limits of every namespace.
pub(super) fn limits(catalog: &Catalog, changes: &[RuleChange]) -> Rules {
    let latest = latest(changes);
    let of = |namespace: Oid| {
        names(catalog, namespace).iter().find_map(|name| latest.get(name.as_str()).copied())
    };
    let identifies = |oid: Oid| {
        domains::meaning(catalog, oid).is_some_and(|one| matches!(one.kind, Kind::Identifier(_)))
    };
    let namespaces = catalog.domains().map(|domain| domain.oid).filter(|oid| identifies(*oid));
    let namespaces = namespaces.filter_map(|oid| Some((oid, of(oid)?.limits))).collect();
    let default = latest.get(EVERY).map(|one| one.limits).unwrap_or_default();
    Rules { default, namespaces }
}

/// The values that identify nobody.
#[derive(Debug, Default)]
pub(in crate::storage) struct Blocked {
    by_name: HashMap<String, Patterns>,
}

#[derive(Debug, Default, Clone)]
struct Patterns {
    exact: HashSet<String>,
    regex: Option<RegexSet>,
}

impl Blocked {
    /// Of the rows. A pattern that is no regular expression was refused when it was set.
    pub(super) fn new(rows: &[BlockedValue]) -> Self {
        let mut exact: HashMap<&str, HashSet<String>> = HashMap::new();
        let mut regex: HashMap<&str, Vec<&str>> = HashMap::new();
        for row in rows {
            match row.regex {
                true => regex.entry(&row.namespace).or_default().push(&row.pattern),
                false => drop(exact.entry(&row.namespace).or_default().insert(row.pattern.clone())),
            }
        }
        let mut by_name: HashMap<String, Patterns> = HashMap::new();
        for (name, exact) in exact {
            by_name.entry(name.to_owned()).or_default().exact = exact;
        }
        for (name, patterns) in regex {
            by_name.entry(name.to_owned()).or_default().regex = RegexSet::new(patterns).ok();
        }
        Self { by_name }
    }

    /// Which patterns a namespace's values are held against.
    pub(super) fn of<'a>(&'a self, catalog: &Catalog, namespace: Oid) -> BlockedOf<'a> {
        let names = names(catalog, namespace);
        let patterns = names.iter().filter_map(|name| self.by_name.get(name));
        BlockedOf(patterns.map(Cow::Borrowed).collect())
    }
}

/// What is blocked in one namespace.
#[derive(Debug)]
pub(super) struct BlockedOf<'a>(Vec<Cow<'a, Patterns>>);

impl BlockedOf<'_> {
    /// The same, to hold many values against. Threads that share a regular expression wait for
    /// one another's scratch memory; a copy has its own.
    pub(super) fn into_own(self) -> BlockedOf<'static> {
        BlockedOf(self.0.into_iter().map(|one| Cow::Owned(one.into_owned())).collect())
    }

    /// Whether a normalised value identifies nobody.
    pub(super) fn blocks(&self, value: &str) -> bool {
        self.0.iter().any(|patterns| {
            patterns.exact.contains(value)
                || patterns.regex.as_ref().is_some_and(|regex| regex.is_match(value))
        })
    }
}
