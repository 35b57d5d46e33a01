//! Where people are beside the rows of tables that say whose they are. A feature that keeps
//! something of people elsewhere adds a function to [`PLACES`].

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::features::oids::{CANDIDATE_DECISIONS, CANDIDATE_PAIRS};
use clientele_catalog::storage::{Transaction, Victims};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;

use super::rows;
use crate::error::Result;
use crate::planning::context::QueryContext;

/// Takes people out of a place, before their rows go.
type Place = fn(&QueryContext, &mut Transaction, &Victims) -> Result<()>;

/// Every place.
pub(super) const PLACES: &[Place] = &[candidate_decisions];

/// What was decided about pairs of which one is the person.
fn candidate_decisions(
    context: &QueryContext,
    transaction: &mut Transaction,
    victims: &Victims,
) -> Result<()> {
    let snapshot = Arc::clone(transaction.snapshot());
    let Some(pairs) = snapshot.catalog.relation_by_oid(CANDIDATE_PAIRS) else { return Ok(()) };
    let nodes: HashSet<u32> = victims.nodes();
    let gone = context.store.rows_of_nodes(&snapshot, pairs, &nodes)?;
    if gone.is_empty() {
        return Ok(());
    }
    let rows = transaction.rows_at(pairs, &gone)?;
    let numbers = rows.column_by_name("candidate_id");
    let numbers = numbers.and_then(|one| one.as_primitive_opt::<Int64Type>());
    let numbers: Vec<i64> = numbers.into_iter().flatten().flatten().collect();
    let decisions = rows::with_number(context, CANDIDATE_DECISIONS, "candidate_id", &numbers)?;
    transaction.delete(CANDIDATE_DECISIONS, &decisions)?;
    Ok(())
}
