//! Who is in a segment, as a bitmap of customers. Those of materialized segments are kept until
//! their rows change; those of views are computed.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::{Oid, Relation, RelationKind};
use clientele_catalog::domains::Subject;
use clientele_catalog::storage::Customers;
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use parking_lot::Mutex;
use roaring::RoaringBitmap;

use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::session::collect_while_planning;
use crate::statement::rows::quoted;
use crate::{planning, sql};

/// Members of materialized segments, by database and view.
#[derive(Default)]
pub(crate) struct Memberships(Mutex<HashMap<(Oid, Oid), Kept>>);

#[derive(Clone)]
struct Kept {
    /// Version in which the rows were written.
    written_in: u64,
    /// Who was who.
    customers: Arc<Customers>,
    /// The nodes in the rows.
    nodes: Arc<RoaringBitmap>,
    /// The customers that they were.
    members: Arc<RoaringBitmap>,
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
        RelationKind::MaterializedView { populated: true, .. } => kept(context, (view, subject)),
        _ => computed(context, (view, subject)).map(Arc::new),
    }
}

fn kept(
    context: &QueryContext,
    (view, subject): (&Arc<Relation>, Subject),
) -> Result<Arc<RoaringBitmap>> {
    let snapshot = &context.snapshot;
    let place = (context.database.oid, view.oid);
    let written_in = snapshot.table(view.oid).written_in;
    let own = snapshot.is_changed(view.oid);
    let known = context.engine.memberships.0.lock().get(&place).cloned();
    let known = known.filter(|known| known.written_in == written_in && !own);
    if let Some(known) = &known
        && is_same(known, &snapshot.customers, subject)
    {
        return Ok(Arc::clone(&known.members));
    }
    let nodes = match known {
        Some(known) => known.nodes,
        None => {
            let mut nodes = RoaringBitmap::new();
            context.store.node_rows(snapshot, view, (subject, &[]), |rows| {
                nodes.extend(rows.nodes);
            })?;
            Arc::new(nodes)
        }
    };
    let now = snapshot.customers.of(subject);
    let mut members: RoaringBitmap = nodes.iter().map(|node| now.customer(node)).collect();
    members.remove(0);
    let members = Arc::new(members);
    if !own {
        let (customers, members) = (Arc::clone(&snapshot.customers), Arc::clone(&members));
        let kept = Kept { written_in, customers, nodes, members };
        context.engine.memberships.0.lock().insert(place, kept);
    }
    Ok(members)
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
