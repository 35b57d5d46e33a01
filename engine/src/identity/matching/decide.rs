//! `CALL identity.accept(…)` and `reject(…)`: what people say about candidates.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{RowAddress, Said};
use clientele_identity::graph::LinkKind;
use datafusion::arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::scalar::ScalarValue;

use super::run::integer;
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::{superuser, text};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// A pair in the queue.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) id: i64,
    pub(super) ends: (u32, u32),
    pub(super) weight: f64,
    pub(super) probability: f64,
    pub(super) decided: bool,
    pub(super) address: RowAddress,
}

fn node(columns: &[ArrayRef], at: usize, row: usize) -> Option<u32> {
    u32::try_from(integer(columns, at, row)?).ok()
}

/// All pairs of the queue.
pub(super) fn queue(context: &QueryContext) -> Result<Vec<Queued>> {
    let mut decided = HashSet::new();
    builtin::each(context, oids::CANDIDATE_DECISIONS, |rows| {
        decided.extend((0..rows.addresses.len()).filter_map(|row| integer(&rows.columns, 0, row)));
    })?;
    let mut queue = Vec::new();
    builtin::each(context, oids::CANDIDATE_PAIRS, |rows| {
        let float = |at: usize, row: usize| {
            let array = rows.columns.get(at)?.as_primitive_opt::<Float64Type>()?;
            Some(array.value(row))
        };
        queue.extend(rows.addresses.iter().enumerate().filter_map(|(row, address)| {
            let id = integer(&rows.columns, 0, row)?;
            Some(Queued {
                id,
                ends: (node(&rows.columns, 1, row)?, node(&rows.columns, 2, row)?),
                weight: float(3, row)?,
                probability: float(4, row)?,
                decided: decided.contains(&id),
                address: *address,
            })
        }));
    })?;
    Ok(queue)
}

/// Pairs of nodes that must not be one customer.
pub(super) fn apart(context: &QueryContext) -> Result<Vec<(u32, u32)>> {
    let mut pairs = Vec::new();
    builtin::each(context, oids::LINKS, |rows| {
        let kinds = rows.columns.get(4).and_then(|one| one.as_string_view_opt());
        pairs.extend((0..rows.addresses.len()).filter_map(|row| {
            let split = kinds?.value(row) == "split";
            let ends = (node(&rows.columns, 0, row)?, node(&rows.columns, 2, row)?);
            split.then_some(ends)
        }));
    })?;
    Ok(pairs)
}

/// Decides about one pair: it is linked, or kept apart for ever.
pub(super) async fn run(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
    accepted: bool,
) -> Result<Option<RecordBatch>> {
    superuser(session, if accepted { "identity.accept" } else { "identity.reject" })?;
    let context = session.context().await?;
    let id = match arguments.first() {
        Some(ScalarValue::Int64(Some(id))) => *id,
        _ => return Err(Error::new("22004", "number of a candidate must not be null")),
    };
    let found = queue(&context)?.into_iter().find(|one| one.id == id);
    let one = found.ok_or_else(|| {
        Error::new("P0002", format!("candidate {id} does not exist"))
            .with_hint("SELECT * FROM identity.candidates shows those that there are.")
    })?;
    if one.decided {
        return Err(Error::new("55000", format!("candidate {id} is decided already"))
            .with_hint("CALL identity.unlink(…) takes a decision back."));
    }
    let kind = match accepted {
        true => LinkKind::Matched { weight: one.weight as f32 },
        false => LinkKind::Split,
    };
    let (ends, probability) = (one.ends, Some(one.probability));
    let said = Said { ends, kind: Some(kind), probability, comparison: None };
    let reason = text(&arguments, 1);
    let now = TimestampMicrosecondArray::from(vec![Utc::now().timestamp_micros()]);
    let decision = if accepted { "accepted" } else { "rejected" };
    let columns = vec![
        Arc::new(Int64Array::from(vec![id])) as ArrayRef,
        Arc::new(StringViewArray::from_iter_values([decision])),
        Arc::new([reason].into_iter().collect::<StringViewArray>()),
        Arc::new(StringViewArray::from_iter_values([context.role.name.as_str()])),
        Arc::new(now.with_timezone("UTC")),
    ];
    let row = builtin::batch(oids::CANDIDATE_DECISIONS, &columns)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.link(Subject::Person, &[said], (&context.role.name, reason))?;
    transaction.insert(oids::CANDIDATE_DECISIONS, row)?;
    Ok(None)
}
