//! The graphs of a database.

use std::sync::Arc;

use clientele_identity::graph::{Graph, Nodes, Rules};
use parking_lot::{Mutex, RwLock};

use super::customers::Customers;
use super::gathered::Gathered;
use super::rules::{Blocked, limits};
use super::stored::Stored;
use crate::domains::Subject;
use crate::error::Result;
use crate::storage::brand_key::BrandKey;
use crate::storage::erasure::Tombstones;
use crate::storage::snapshot::Snapshot;

/// Numbers of nodes, and what is known of them.
pub(in crate::storage) struct Identity {
    person: Nodes,
    company: Nodes,
    blocked: RwLock<Arc<Blocked>>,
    tombstones: RwLock<Arc<Tombstones>>,
    graphs: Mutex<Graphs>,
}

struct Graphs {
    person: Graph,
    company: Graph,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
}

impl Graphs {
    fn of(&mut self, subject: Subject) -> &mut Graph {
        match subject {
            Subject::Person => &mut self.person,
            Subject::Company => &mut self.company,
        }
    }

    fn customers(&mut self) -> Arc<Customers> {
        let (person, company) = (self.person.assignment(), self.company.assignment());
        Arc::new(Customers::new(person, company))
    }
}

impl Identity {
    /// Of what is stored in a snapshot; the snapshot gets its customers.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::storage) fn load(snapshot: &mut Snapshot, key: &BrandKey) -> Result<Self> {
        let stored = Stored::read(snapshot)?;
        let rules = limits(&snapshot.catalog, &stored.rules);
        let new = |rules: Rules| Graph::new(rules);
        let identity = Self {
            person: Nodes::default(),
            company: Nodes::default(),
            blocked: RwLock::new(Arc::new(Blocked::new(&stored.blocked))),
            tombstones: RwLock::new(Arc::new(Tombstones::read(snapshot, key)?)),
            graphs: Mutex::new(Graphs { person: new(rules.clone()), company: new(rules) }),
        };
        let evidence = stored.evidence(&snapshot.catalog, &identity.blocked(), None);
        for (subject, evidence) in Subject::ALL.into_iter().zip(&evidence) {
            let identifiers = evidence.identifiers.iter().map(|one| (one.key, one.node));
            let records = evidence.records.iter().map(|one| (one.key, one.node));
            identity.nodes(subject).restore(&identifiers.chain(records).collect::<Vec<_>>());
            identity.graphs.lock().of(subject).apply(evidence);
        }
        snapshot.customers = identity.graphs.lock().customers();
        Ok(identity)
    }

    /// Numbers of identifiers and records.
    pub(in crate::storage) fn nodes(&self, subject: Subject) -> &Nodes {
        match subject {
            Subject::Person => &self.person,
            Subject::Company => &self.company,
        }
    }

    /// The values that identify nobody.
    pub(in crate::storage) fn blocked(&self) -> Arc<Blocked> {
        Arc::clone(&self.blocked.read())
    }

    /// What was erased and must not come back.
    pub(in crate::storage) fn tombstones(&self) -> Arc<Tombstones> {
        Arc::clone(&self.tombstones.read())
    }

    /// Takes on the tombstones of a snapshot.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::storage) fn take_tombstones(
        &self,
        snapshot: &Snapshot,
        key: &BrandKey,
    ) -> Result<()> {
        *self.tombstones.write() = Arc::new(Tombstones::read(snapshot, key)?);
        Ok(())
    }

    /// Puts what transactions gathered into the graphs; they are committed.
    pub(in crate::storage) fn apply(&self, gathered: &[Gathered]) -> Arc<Customers> {
        let mut graphs = self.graphs.lock();
        for one in gathered {
            for subject in Subject::ALL {
                let (graph, new) = (graphs.of(subject), one.found(subject));
                for (a, b) in new.unlinked() {
                    graph.unlink(a, b);
                }
                graph.apply(&new.standing());
                graph.remove(&new.forgotten);
            }
        }
        graphs.customers()
    }

    /// Takes on the rules of a snapshot, for the past as well; with `blocked` also the values that
    /// identify nobody, which every identifier is held against.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::storage) fn take_rules(
        &self,
        snapshot: &Snapshot,
        blocked: bool,
    ) -> Result<Arc<Customers>> {
        let stored = Stored::read_rules(snapshot)?;
        let rules = limits(&snapshot.catalog, &stored.rules);
        let patterns = Arc::new(Blocked::new(&stored.blocked));
        let evidence = match blocked {
            true => Stored::read(snapshot)?.evidence(&snapshot.catalog, &patterns, None),
            false => Default::default(),
        };
        let mut graphs = self.graphs.lock();
        for (subject, evidence) in Subject::ALL.into_iter().zip(evidence) {
            let graph = graphs.of(subject);
            graph.set_rules(rules.clone());
            for blocked in [false, true] {
                let nodes = evidence.identifiers.iter().filter(|one| one.blocked == blocked);
                let nodes: Vec<_> = nodes.map(|one| one.node).collect();
                graph.set_blocked(&nodes, blocked);
            }
        }
        *self.blocked.write() = patterns;
        Ok(graphs.customers())
    }

    /// Asks the graph of a subject what takes a change that it does not keep.
    pub(super) fn change<T>(&self, subject: Subject, ask: impl FnOnce(&mut Graph) -> T) -> T {
        ask(self.graphs.lock().of(subject))
    }

    /// Reads the graph of a subject.
    pub(in crate::storage) fn read<T>(&self, subject: Subject, ask: impl FnOnce(&Graph) -> T) -> T {
        ask(self.graphs.lock().of(subject))
    }
}
