//! What the engine asks about identity.

use std::sync::Arc;

use clientele_identity::graph::{Changes, Graph, Key, Limits, Node, Status, Step};

use super::customers::Customers;
use super::replay::subjects;
use super::rules::{self, Blocked, BlockedValue, RuleChange};
use super::stored::{self, Stored};
use crate::definition::Oid;
use crate::domains::Subject;
use crate::error::Result;
use crate::features::oids;
use crate::storage::part::RowAddress;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;

/// A rule that is not in force: what would it change?
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// Limits of a namespace, by its name.
    pub limits: Option<(String, Limits)>,
    /// A pattern to block in a namespace, and whether it is a regular expression.
    pub blocked: Option<(String, String, bool)>,
}

/// A merge or split of customers that were there before.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Microseconds since 1970.
    pub at: i64,
    /// People or companies.
    pub subject: Subject,
    /// The customer that stays.
    pub customer: Node,
    /// The customer that went into it, or the part that left it.
    pub other: Node,
    /// Whether they came together.
    pub merged: bool,
    /// The record, identifier or end of a link that brought it about.
    pub cause: Node,
}

impl Store {
    /// The node of an identifier, by its namespace and normalised value.
    pub fn node_of(&self, subject: Subject, namespace: Oid, value: &str) -> Option<Node> {
        self.shared.identity.nodes(subject).find(Key::of_identifier(namespace, value))
    }

    /// Whether a node stitches, and with how many identifiers of one namespace it was seen.
    pub fn standing(&self, subject: Subject, node: Node) -> (Status, u32) {
        self.shared.identity.read(subject, |graph| (graph.status(node), graph.degree(node)))
    }

    /// Why two nodes are one customer; `None`: they are not.
    pub fn path(&self, subject: Subject, a: Node, b: Node) -> Option<Vec<Step>> {
        self.shared.identity.read(subject, |graph| graph.path(a, b))
    }

    /// The limits of a namespace, by its name; `*` for those without a rule of their own.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn limits(&self, snapshot: &Snapshot, namespace: &str) -> Result<Limits> {
        let stored = Stored::read_rules(snapshot)?;
        Ok(rules::limits_of(&snapshot.catalog, &stored.rules, namespace))
    }

    /// Where the rows of `identity.blocked_values` are that have a pattern.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn blocked_rows(
        &self,
        snapshot: &Snapshot,
        namespace: &str,
        pattern: &str,
    ) -> Result<Vec<RowAddress>> {
        stored::addresses(snapshot, oids::BLOCKED_VALUES, |rows, row| {
            rows.text(0, row) == Some(namespace) && rows.text(1, row) == Some(pattern)
        })
    }

    /// What a rule would change: of people, of companies.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn preview(&self, snapshot: &Snapshot, proposal: &Proposal) -> Result<[Changes; 2]> {
        Ok(self.proposed(snapshot, proposal)?.map(|(changes, _)| changes))
    }

    /// Who would be who under a rule.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn preview_customers(
        &self,
        snapshot: &Snapshot,
        proposal: &Proposal,
    ) -> Result<Arc<Customers>> {
        let [(_, mut person), (_, mut company)] = self.proposed(snapshot, proposal)?;
        let (person, company) = (person.assignment(), company.assignment());
        Ok(Arc::new(Customers::new(person, company)))
    }

    /// The graphs of people and of companies under a rule, and what it changes in them.
    fn proposed(&self, snapshot: &Snapshot, proposal: &Proposal) -> Result<[(Changes, Graph); 2]> {
        let mut stored = Stored::read_rules(snapshot)?;
        if let Some((namespace, limits)) = &proposal.limits {
            let (namespace, limits) = (namespace.clone(), *limits);
            stored.rules.push(RuleChange { namespace, limits, changed_at: i64::MAX });
        }
        let limits = rules::limits(&snapshot.catalog, &stored.rules);
        let newly_blocked = match &proposal.blocked {
            None => Default::default(),
            Some((namespace, pattern, regex)) => {
                let (namespace, pattern) = (namespace.clone(), pattern.clone());
                let only = Blocked::new(&[BlockedValue { namespace, pattern, regex: *regex }]);
                let stored = Stored::read(snapshot)?;
                stored.evidence(&snapshot.catalog, &only, None)
            }
        };
        let of = |place: usize, subject: Subject| {
            let mut graph = self.shared.identity.read(subject, Graph::clone);
            let identifiers = newly_blocked[place].identifiers.iter();
            let nodes: Vec<Node> =
                identifiers.filter(|one| one.blocked).map(|one| one.node).collect();
            let mut changes = graph.set_rules(limits.clone());
            let blocked = graph.set_blocked(&nodes, true);
            changes.merges.extend(blocked.merges);
            changes.splits.extend(blocked.splits);
            (changes, graph)
        };
        Ok([of(0, Subject::Person), of(1, Subject::Company)])
    }

    /// Who was who at an instant (microseconds since 1970), under the rules of that instant.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn customers_as_of(&self, snapshot: &Snapshot, at: i64) -> Result<Arc<Customers>> {
        let mut stored = Stored::read(snapshot)?;
        stored.rules.retain(|one| one.changed_at <= at);
        let limits = rules::limits(&snapshot.catalog, &stored.rules);
        let blocked = self.shared.identity.blocked();
        let evidence = stored.evidence(&snapshot.catalog, &blocked, Some(at));
        let [person, company] = evidence.map(|evidence| {
            let mut graph = Graph::new(limits.clone());
            graph.apply(&evidence);
            graph.assignment()
        });
        Ok(Arc::new(Customers::new(person, company)))
    }

    /// Every merge and split, in the order in which they came.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn identity_events(&self, snapshot: &Snapshot) -> Result<Vec<Event>> {
        let mut stored = Stored::read(snapshot)?;
        let mut rules = std::mem::take(&mut stored.rules);
        rules.sort_by_key(|one| one.changed_at);
        let blocked = self.shared.identity.blocked();
        let mut steps = stored.steps(&snapshot.catalog, &blocked);
        for one in &rules {
            steps.entry(one.changed_at).or_default();
        }
        let mut graphs = [Graph::new(Default::default()), Graph::new(Default::default())];
        let mut events = Vec::new();
        let mut in_force = 0;
        for (at, step) in steps {
            let now = rules.partition_point(|one| one.changed_at <= at);
            for (place, subject) in subjects() {
                let graph = &mut graphs[place];
                if now > in_force {
                    let known = rules.get(..now).unwrap_or_default();
                    let limits = rules::limits(&snapshot.catalog, known);
                    note(&mut events, (at, subject), &graph.set_rules(limits));
                }
                for (a, b) in &step.unlinked[place] {
                    note(&mut events, (at, subject), &graph.unlink(*a, *b));
                }
                note(&mut events, (at, subject), &graph.apply(&step.evidence[place]));
            }
            in_force = now;
        }
        Ok(events)
    }
}

fn note(events: &mut Vec<Event>, (at, subject): (i64, Subject), changes: &Changes) {
    events.extend(changes.merges.iter().map(|one| Event {
        at,
        subject,
        customer: one.survivor,
        other: one.absorbed,
        merged: true,
        cause: one.cause,
    }));
    events.extend(changes.splits.iter().map(|one| Event {
        at,
        subject,
        customer: one.from,
        other: one.part,
        merged: false,
        cause: one.cause,
    }));
}
