//! The customers for whom rows have changed, or who are others than before.

use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{Snapshot, Store, Touched};
use roaring::RoaringBitmap;

use super::sources::Sources;
use super::states::State;
use crate::error::Result;

/// What has changed since a refresh.
pub(super) enum Changed {
    /// What concerns these customers.
    Customers(RoaringBitmap),
    /// Anything; why.
    Everything(String),
}

/// Customers of a subject that are concerned by what was committed since the refresh of a state.
///
/// # Errors
/// A file cannot be read.
pub(super) fn since(
    (store, snapshot): (&Store, &Snapshot),
    (before, sources): (&State, &Sources),
    subject: Subject,
) -> Result<Changed> {
    let Some(known) = &before.customers else {
        return Ok(Changed::Everything("who was who is not known".to_owned()));
    };
    let now = snapshot.customers.of(subject);
    let mut concerned: RoaringBitmap =
        before.pending.iter().flat_map(|one| [one, now.customer(one)]).collect();
    for (node, was, is) in now.changes_since(known.of(subject)) {
        concerned.extend([now.customer(node), now.customer(was), is]);
    }
    let other = match subject {
        Subject::Person => Subject::Company,
        Subject::Company => Subject::Person,
    };
    let others = !snapshot.customers.of(other).changes_since(known.of(other)).is_empty();
    for oid in &sources.stored {
        let Some(relation) = snapshot.catalog.relation_by_oid(*oid) else {
            return Ok(Changed::Everything("a table is gone".to_owned()));
        };
        let has = |subject| relation.live_columns().any(|one| one.subject == Some(subject));
        let whole = || {
            let name = snapshot.catalog.qualified_name(relation);
            Changed::Everything(format!(
                "rows of {name} have changed that are of no single customer"
            ))
        };
        if others && has(other) {
            return Ok(whole());
        }
        if snapshot.table(*oid).written_in <= before.version && !snapshot.is_changed(*oid) {
            continue;
        }
        match store.touched(relation, before.version)? {
            // What the transaction itself has written is in no commit.
            Touched::Rows(nodes) if has(subject) && !snapshot.is_changed(*oid) => {
                let [people, companies] = &nodes;
                let nodes = if subject == Subject::Person { people } else { companies };
                concerned.extend(nodes.iter().map(|node| now.customer(node)));
            }
            Touched::Rows(_) | Touched::Everything => return Ok(whole()),
            Touched::Unknown => {
                return Ok(Changed::Everything(
                    "what has changed since was not watched".to_owned(),
                ));
            }
        }
    }
    concerned.remove(0);
    Ok(Changed::Customers(concerned))
}
