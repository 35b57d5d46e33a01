//! Who is in a segment, as a bitmap of customers. Those of materialized segments are kept until
//! their rows change; those of views are computed.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::{Customers, Snapshot, Store};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use parking_lot::Mutex;
use roaring::RoaringBitmap;

use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::privacy::filter;
use crate::session::collect_while_planning;
use crate::statement::rows::quoted;
use crate::{planning, sql};

/// Members of materialized segments, by database, view and kind.
#[derive(Default)]
pub(crate) struct Memberships(Mutex<HashMap<(Oid, Oid, Subject), Kept>>);

impl std::fmt::Debug for Memberships {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Memberships")
    }
}

#[derive(Clone)]
struct Kept {
    /// Version in which the rows were written.
    written_in: u64,
    /// Who was who.
    customers: Arc<Customers>,
    /// The nodes in the rows; 0 for nobody's.
    nodes: Arc<RoaringBitmap>,
    /// How many rows there are.
    rows: u64,
    /// The customers that they were.
    members: Members,
}

/// The customers in the rows of a materialized segment.
#[derive(Debug, Clone)]
pub(super) struct Members {
    /// Them.
    pub(super) customers: Arc<RoaringBitmap>,
    /// There is a row of nobody: a NULL.
    pub(super) nobody: bool,
    /// No two rows are of the same customer, or of nobody.
    pub(super) distinct: bool,
}

/// A segment in a snapshot of a database.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) database: Oid,
    pub(super) store: &'a Store,
    pub(super) snapshot: &'a Snapshot,
    pub(super) view: &'a Relation,
    pub(super) subject: Subject,
}

/// The members of a segment as the statement sees them.
///
/// # Errors
/// What the definition of a view does wrong; 55000 for a materialized view without rows.
pub(super) fn members(
    context: &QueryContext,
    (view, subject): (&Arc<Relation>, Subject),
) -> Result<Arc<RoaringBitmap>> {
    match view.kind {
        // Rows that the statement may not use are left out by its plan.
        _ if !filter::filters(context, view).is_empty() => {
            computed(context, (view, subject)).map(Arc::new)
        }
        RelationKind::MaterializedView { populated: true, .. } => {
            let place = Place {
                database: context.database.oid,
                store: &context.store,
                snapshot: &context.snapshot,
                view,
                subject,
            };
            Ok(context.engine.memberships.of(place)?.customers)
        }
        _ => computed(context, (view, subject)).map(Arc::new),
    }
}

impl Memberships {
    /// The members of a materialized segment that has rows.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn of(&self, place: Place<'_>) -> Result<Members> {
        let Place { snapshot, view, subject, .. } = place;
        let key = (place.database, view.oid, subject);
        let written_in = snapshot.table(view.oid).written_in;
        let own = snapshot.is_changed(view.oid);
        let known = self.0.lock().get(&key).cloned();
        let known = known.filter(|known| known.written_in == written_in && !own);
        if let Some(known) = &known
            && is_same(known, &snapshot.customers, subject)
        {
            return Ok(known.members.clone());
        }
        let (nodes, rows) = match known {
            Some(known) => (known.nodes, known.rows),
            None => {
                let (mut nodes, mut count) = (RoaringBitmap::new(), 0);
                place.store.node_rows(snapshot, view, (subject, &[]), |rows| {
                    count += rows.addresses.len() as u64;
                    nodes.extend(rows.nodes);
                })?;
                (Arc::new(nodes), count)
            }
        };
        let mut customers = snapshot.customers.of_nodes(subject, &nodes);
        let nobody = customers.remove(0);
        let distinct = rows == customers.len() + u64::from(nobody);
        let members = Members { customers: Arc::new(customers), nobody, distinct };
        if !own {
            let (customers, members) = (Arc::clone(&snapshot.customers), members.clone());
            self.0.lock().insert(key, Kept { written_in, customers, nodes, rows, members });
        }
        Ok(members)
    }
}

/// Whether the nodes of a segment are still the same customers.
fn is_same(known: &Kept, now: &Arc<Customers>, subject: Subject) -> bool {
    if Arc::ptr_eq(&known.customers, now) {
        return true;
    }
    let changes = now.of(subject).changes_since(known.customers.of(subject));
    !changes.iter().any(|(node, ..)| known.nodes.contains(*node))
}

/// The members of a view, computed while the statement is planned.
fn computed(
    context: &QueryContext,
    (view, subject): (&Arc<Relation>, Subject),
) -> Result<RoaringBitmap> {
    let query = format!("SELECT {} FROM segments.{}", subject.column(), quoted(&view.name));
    let query = sql::parse::query(&query)?;
    let context = Arc::new(context.clone());
    let planned = planning::plan_query(&context, query, &[])?;
    let batches = collect_while_planning(&context, &planned.plan)?;
    let mut members = RoaringBitmap::new();
    for batch in batches {
        if let Some(numbers) = batch.column(0).as_primitive_opt::<Int64Type>() {
            let rows = (0..numbers.len()).filter(|row| numbers.is_valid(*row));
            members.extend(rows.filter_map(|row| u32::try_from(numbers.value(row)).ok()));
        }
    }
    Ok(members)
}
