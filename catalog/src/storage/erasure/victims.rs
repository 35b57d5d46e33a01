//! Whose nodes go.

use std::collections::HashSet;

use clientele_identity::graph::{Graph, Node};

use crate::definition::Oid;
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::snapshot::Snapshot;
use crate::storage::store::Store;
use crate::storage::transaction::Transaction;

/// How much of a customer an erasure takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every identifier and record of the customer.
    Customer,
    /// One identifier with the records that name it: those whom it connected come apart.
    Identifier,
}

/// The nodes of people.
#[derive(Debug, Clone, Default)]
pub struct Victims {
    /// Identifiers and records that are theirs: rows with them go.
    pub own: HashSet<Node>,
    /// Records of other people that name an identifier of theirs: it is taken out of those rows.
    pub shared: HashSet<Node>,
    /// Namespace and normalised value of each identifier.
    pub identifiers: Vec<(Oid, String)>,
}

impl Victims {
    /// All nodes.
    pub fn nodes(&self) -> HashSet<Node> {
        self.own.union(&self.shared).copied().collect()
    }
}

impl Store {
    /// What an erasure of some nodes takes: of customers given by any of their nodes, or of
    /// identifiers.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn victims(&self, snapshot: &Snapshot, seeds: &[Node], scope: Scope) -> Result<Victims> {
        let mut victims = Victims::default();
        match scope {
            Scope::Identifier => victims.own.extend(seeds),
            Scope::Customer => {
                let customers = &snapshot.customers.person;
                let members =
                    seeds.iter().flat_map(|one| customers.members(customers.customer(*one)));
                victims.own.extend(members);
            }
        }
        let identity = &self.shared.identity;
        let identifiers =
            identity.read(Subject::Person, |graph| spread(graph, &mut victims, scope));
        let sights = self.first_sights(snapshot, Subject::Person, &identifiers)?;
        victims.identifiers = sights.into_iter().filter_map(|one| one.identifier).collect();
        Ok(victims)
    }
}

/// Finds the records that name the identifiers among the nodes; returns those identifiers.
fn spread(graph: &Graph, victims: &mut Victims, scope: Scope) -> Vec<Node> {
    let is_identifier = |node: &Node| graph.namespace(*node).is_some();
    let identifiers: Vec<Node> = victims.own.iter().copied().filter(is_identifier).collect();
    for record in identifiers.iter().flat_map(|one| graph.records_of(*one)) {
        match scope {
            Scope::Identifier => drop(victims.own.insert(record)),
            Scope::Customer if victims.own.contains(&record) => {}
            Scope::Customer => drop(victims.shared.insert(record)),
        }
    }
    identifiers
}

impl Transaction {
    /// Takes nodes of people out of the graph when it commits, with the links between them.
    pub fn forget(&mut self, nodes: &HashSet<Node>) {
        self.gathered.forget(Subject::Person, nodes.iter().copied());
    }
}
