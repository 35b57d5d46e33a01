//! Sequences (manual: functions-sequence).
//!
//! A sequence reserves values in blocks: the catalog keeps the end of the block, the engine hands
//! values out of memory. After a crash the rest of a block is lost, as PostgreSQL's cache is.

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::{Object, Oid, Relation, RelationKind, Sequence};
use clientele_catalog::storage::{TemporarySpace, Transaction};
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::row_kernel::{Kernel, Signature, number, text};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext};
use crate::session::shared::SessionShared;

/// Values that one log record reserves.
const BLOCK: i64 = 32;

const CHANGES: Signature =
    Signature { least: 1, most: 1, result: PgType::INT8, volatile: true, strict: true };

pub(super) static KERNELS: &[Kernel] = &[
    Kernel {
        name: "nextval",
        arguments: "regclass",
        signature: CHANGES,
        comment: "sequence next value",
        call: next,
    },
    Kernel {
        name: "currval",
        arguments: "regclass",
        signature: CHANGES,
        comment: "sequence current value",
        call: current,
    },
    Kernel {
        name: "lastval",
        arguments: "",
        comment: "current value from last used sequence",
        call: last,
        signature: Signature { least: 0, most: 0, ..CHANGES },
    },
    Kernel {
        name: "setval",
        arguments: "regclass, bigint, boolean",
        comment: "set sequence value",
        call: set,
        signature: Signature { least: 2, most: 3, ..CHANGES },
    },
];

/// Values in memory that may still be handed out: next and last, by database and sequence. The
/// engine has them: two engines of one process know nothing of one another.
pub type Blocks = HashMap<(Oid, Oid), (i64, i64)>;

/// The next value of a sequence.
///
/// # Errors
/// 2200H at its end; what the log refuses.
pub fn next_value(context: &QueryContext, relation: &Relation) -> Result<i64> {
    let mut blocks = context.engine.sequences.lock();
    let key = (context.database.oid, relation.oid);
    let sequence = committed(context, relation.oid)?;
    let value = match blocks.get(&key) {
        Some((next, last)) if within(*next, *last, sequence.increment) => *next,
        _ => reserve(context, relation.oid, &mut blocks)?,
    };
    if let Some(block) = blocks.get_mut(&key) {
        block.0 = value.saturating_add(sequence.increment);
    }
    let mut values = context.session.sequence_values.lock();
    values.insert(relation.oid, value);
    values.insert(0, value);
    Ok(value)
}

fn within(next: i64, last: i64, increment: i64) -> bool {
    if increment > 0 { next <= last } else { next >= last }
}

/// Reserves the next block; sequences are never rolled back, so this is a transaction of its own.
fn reserve(context: &QueryContext, oid: Oid, blocks: &mut Blocks) -> Result<i64> {
    let mut sequence = committed(context, oid)?;
    let first = match sequence.last_value {
        None => sequence.start,
        Some(last) => match last.checked_add(sequence.increment) {
            Some(next) if (sequence.minimum..=sequence.maximum).contains(&next) => next,
            _ if sequence.cycle && sequence.increment > 0 => sequence.minimum,
            _ if sequence.cycle => sequence.maximum,
            _ => return Err(exhausted(&sequence)),
        },
    };
    let wanted = first.saturating_add(sequence.increment.saturating_mul(BLOCK - 1));
    let last = wanted.clamp(sequence.minimum, sequence.maximum);
    let steps = (last - first) / sequence.increment;
    let last = first + steps * sequence.increment;
    sequence.last_value = Some(last);
    store(context, oid, sequence)?;
    blocks.insert((context.database.oid, oid), (first, last));
    Ok(first)
}

fn exhausted(sequence: &Sequence) -> Error {
    let (word, bound) = match sequence.increment > 0 {
        true => ("maximum", sequence.maximum),
        false => ("minimum", sequence.minimum),
    };
    Error::new("2200H", format!("nextval: reached {word} value of sequence ({bound})"))
}

fn committed(context: &QueryContext, oid: Oid) -> Result<Sequence> {
    let snapshot = context.store.snapshot();
    let committed = snapshot.catalog.relation_by_oid(oid);
    if committed.is_none()
        && let Some(own) = context.session.new_sequences.lock().get(&oid)
    {
        return Ok(own.clone());
    }
    let relation = committed.or_else(|| context.catalog().relation_by_oid(oid));
    match relation.map(|relation| &relation.kind) {
        Some(RelationKind::Sequence(sequence)) => Ok(sequence.clone()),
        _ => Err(Error::new("42P01", format!("sequence with OID {oid} does not exist"))),
    }
}

fn store(context: &QueryContext, oid: Oid, sequence: Sequence) -> Result<()> {
    let store = Arc::clone(&context.store);
    let Some(relation) =
        store.snapshot().catalog.relation_by_oid(oid).map(|one| one.as_ref().clone())
    else {
        // Made in this transaction, or temporary: no other session knows of it.
        context.session.new_sequences.lock().insert(oid, sequence);
        return Ok(());
    };
    let schema = store.snapshot().catalog.schemas().next().map(|schema| schema.as_ref().clone());
    let Some(schema) = schema else { return Err(Error::internal("a catalog without schemas")) };
    let mut transaction = store.begin(Arc::new(TemporarySpace::new(schema)));
    transaction
        .put(Object::Relation(Relation { kind: RelationKind::Sequence(sequence), ..relation }));
    // The caller computes on a thread of the engine; the commit is one short wait for the log.
    let commit = std::thread::spawn(move || futures::executor::block_on(store.commit(transaction)));
    match commit.join() {
        Ok(result) => result.map(drop).map_err(Error::from),
        Err(_) => Err(Error::internal("the commit of a sequence failed")),
    }
}

fn find(context: &QueryContext, value: &ScalarValue) -> Result<Arc<Relation>> {
    if let Ok(oid) = number(std::slice::from_ref(value), 0)
        && let Some(relation) =
            u32::try_from(oid).ok().and_then(|oid| context.catalog().relation_by_oid(oid))
    {
        return Ok(Arc::clone(relation));
    }
    let name = text(std::slice::from_ref(value), 0)?;
    let parsed = crate::sql::parse::expression(name)?;
    let parts = match parsed {
        sqlparser::ast::Expr::Identifier(one) => vec![crate::sql::place::folded(&one)],
        sqlparser::ast::Expr::CompoundIdentifier(parts) => {
            parts.iter().map(crate::sql::place::folded).collect()
        }
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    match context.find_relation(&parts)? {
        Some(Named::Relation(relation)) => match relation.kind {
            RelationKind::Sequence(_) => Ok(relation),
            _ => Err(Error::new("42809", format!("\"{}\" is not a sequence", relation.name))),
        },
        _ => Err(crate::planning::context::undefined_table(&parts)),
    }
}

fn argument(values: &[ScalarValue]) -> Result<&ScalarValue> {
    values.first().ok_or_else(|| Error::internal("a sequence function without argument"))
}

fn next(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let relation = find(context, argument(values)?)?;
    context.must_have_one(&relation, "Uw")?;
    next_value(context, &relation).map(|value| ScalarValue::Int64(Some(value)))
}

fn current(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let relation = find(context, argument(values)?)?;
    context.must_have_one(&relation, "Ur")?;
    match context.session.sequence_values.lock().get(&relation.oid) {
        Some(value) => Ok(ScalarValue::Int64(Some(*value))),
        None => Err(Error::new(
            "55000",
            format!("currval of sequence \"{}\" is not yet defined in this session", relation.name),
        )),
    }
}

fn last(context: &QueryContext, _: &[ScalarValue]) -> Result<ScalarValue> {
    match context.session.sequence_values.lock().get(&0) {
        Some(value) => Ok(ScalarValue::Int64(Some(*value))),
        None => Err(Error::new("55000", "lastval is not yet defined in this session")),
    }
}

fn set(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let relation = find(context, argument(values)?)?;
    context.must_have_one(&relation, "w")?;
    let value = number(values, 1)?;
    let called = !matches!(values.get(2), Some(ScalarValue::Boolean(Some(false))));
    let mut blocks = context.engine.sequences.lock();
    let mut sequence = committed(context, relation.oid)?;
    if !(sequence.minimum..=sequence.maximum).contains(&value) {
        return Err(Error::new(
            "22003",
            format!("setval: value {value} is out of bounds for sequence \"{}\"", relation.name),
        ));
    }
    sequence.last_value = if called { Some(value) } else { value.checked_sub(sequence.increment) };
    store(context, relation.oid, sequence)?;
    blocks.remove(&(context.database.oid, relation.oid));
    Ok(ScalarValue::Int64(Some(value)))
}

/// Lets a sequence begin again at its start (`TRUNCATE … RESTART IDENTITY`).
///
/// # Errors
/// What the log refuses.
pub fn restart_sequence(context: &QueryContext, relation: &Relation) -> Result<()> {
    let mut blocks = context.engine.sequences.lock();
    let mut sequence = committed(context, relation.oid)?;
    sequence.last_value = None;
    store(context, relation.oid, sequence)?;
    blocks.remove(&(context.database.oid, relation.oid));
    Ok(())
}

/// Puts the state of sequences that were used before they are committed into the commit.
pub fn save_new_sequences(session: &SessionShared, transaction: &mut Transaction) {
    let mut new = session.new_sequences.lock();
    let catalog = Arc::clone(&transaction.snapshot().catalog);
    new.retain(|oid, sequence| match catalog.relation_by_oid(*oid) {
        Some(relation) if relation.temporary => true,
        Some(relation) => {
            let kind = RelationKind::Sequence(sequence.clone());
            transaction.put(Object::Relation(Relation { kind, ..relation.as_ref().clone() }));
            false
        }
        None => false,
    });
}

/// Gives up the values in memory, so that the next one is reserved by the definition as it is
/// then; returns the first of them.
pub fn forget_sequence(context: &QueryContext, oid: Oid) -> Option<i64> {
    context.session.new_sequences.lock().remove(&oid);
    context.engine.sequences.lock().remove(&(context.database.oid, oid)).map(|(next, _)| next)
}

/// The next value that is in memory to be handed out.
pub(super) fn next_reserved(context: &QueryContext, oid: Oid) -> Option<i64> {
    context.engine.sequences.lock().get(&(context.database.oid, oid)).map(|(next, _)| *next)
}
