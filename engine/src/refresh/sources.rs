//! The stored relations that a view reads, through other views.

use std::collections::{BTreeMap, BTreeSet};

use clientele_catalog::Catalog;
use clientele_catalog::customers::{PINNED_VALUES, SURVIVORSHIP, Touchpoints, is_derived};
use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::features::{self, SEGMENTS_OID, oids};
use clientele_catalog::storage::Snapshot;

use crate::statement::names_in;

/// Words of SQL that say the time.
const CLOCKS: [&str; 7] = [
    "now(",
    "current_date",
    "current_time",
    "localtime",
    "transaction_timestamp",
    "statement_timestamp",
    "age(",
];

/// What a view reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Tables and materialized views.
    pub(crate) stored: BTreeSet<Oid>,
    /// The queries of the views on the way.
    pub(crate) views: BTreeMap<Oid, String>,
    /// What it says may depend on the time.
    pub(crate) timed: bool,
    /// It reads something whose rows come from elsewhere: profiles, functions, the catalog.
    pub(crate) others: bool,
}

impl Sources {
    /// Of a view or materialized view.
    pub(crate) fn of(catalog: &Catalog, view: &Relation) -> Self {
        let mut sources = Self::default();
        let mut seen = BTreeSet::from([view.oid]);
        sources.take(catalog, view, &mut seen);
        sources
    }

    fn take(&mut self, catalog: &Catalog, view: &Relation, seen: &mut BTreeSet<Oid>) {
        let (RelationKind::View { query } | RelationKind::MaterializedView { query, .. }) =
            &view.kind
        else {
            return;
        };
        self.views.insert(view.oid, query.clone());
        let words = query.to_lowercase();
        self.timed |= CLOCKS.iter().any(|clock| words.contains(clock));
        // The queries of features call functions; what those read is not in any name.
        self.others |= features::relation(view.oid).is_some() && view.schema != SEGMENTS_OID;
        for name in names_in(query) {
            let found = match name.as_slice() {
                [schema, name] => {
                    catalog.schema(schema).and_then(|schema| catalog.relation(schema.oid, name))
                }
                _ => None,
            };
            match found {
                None => self.others = true,
                Some(found) if !seen.insert(found.oid) => {}
                Some(found) if is_derived(found.oid) => self.take_profiles(catalog),
                Some(found) => match &found.kind {
                    RelationKind::View { .. } => self.take(catalog, found, seen),
                    RelationKind::Table | RelationKind::MaterializedView { .. } => {
                        self.stored.insert(found.oid);
                    }
                    RelationKind::Sequence(_) | RelationKind::ForeignTable(_) => self.others = true,
                },
            }
        }
    }
}

impl Sources {
    /// Profiles are made of all tables with identifiers, and of what was said of them.
    fn take_profiles(&mut self, catalog: &Catalog) {
        for subject in Subject::ALL {
            let tables = Touchpoints::of(catalog, subject).tables;
            self.stored.extend(tables.iter().map(|table| table.relation.oid));
        }
        self.stored.extend([SURVIVORSHIP, PINNED_VALUES, oids::BLOCKED_VALUES]);
    }

    /// Whether rows of them, or who is who, may have changed since the snapshot of a version.
    pub(crate) fn changed_since(&self, snapshot: &Snapshot, version: u64) -> bool {
        if self.others {
            // What refreshes write leads to no refresh, or there would be no end of them.
            return snapshot.written_since(version).any(|one| !of_refreshes(snapshot, one));
        }
        let who_is_who = [oids::NODES, oids::RECORDS, oids::LINKS, oids::RULE_CHANGES];
        let all = self.stored.iter().chain(&who_is_who);
        all.chain(&[oids::BLOCKED_VALUES]).any(|one| snapshot.table(*one).written_in > version)
    }
}

/// Whether refreshes alone write a relation.
fn of_refreshes(snapshot: &Snapshot, relation: Oid) -> bool {
    let tables = [oids::SEGMENT_DEFINITIONS, oids::SEGMENT_RUNS, oids::MEMBERSHIP_INTERVALS];
    let found = snapshot.catalog.relation_by_oid(relation);
    tables.contains(&relation)
        || found.is_some_and(|one| matches!(one.kind, RelationKind::MaterializedView { .. }))
}
