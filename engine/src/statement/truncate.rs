//! `TRUNCATE` (manual: sql-truncate): part of the transaction like every other change.

use std::sync::Arc;

use clientele_catalog::definition::{ConstraintKind, Relation, RelationKind};
use sqlparser::ast::{CascadeOption, Truncate, TruncateIdentityOption};

use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::QueryContext;
use crate::session::Session;

/// Runs a TRUNCATE.
pub(super) async fn execute(session: &mut Session, truncate: &Truncate) -> Result<String> {
    const TAG: &str = "TRUNCATE TABLE";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut tables: Vec<Arc<Relation>> = Vec::new();
    for target in &truncate.table_names {
        let relation = context.relation(&target.name)?;
        if relation.foreign().is_some() {
            let text = format!("cannot truncate foreign table \"{}\"", relation.name);
            return Err(Error::new("0A000", text));
        }
        if !matches!(relation.kind, RelationKind::Table) {
            return Err(Error::new("42809", format!("\"{}\" is not a table", relation.name)));
        }
        add(&mut tables, relation);
    }
    let cascade = truncate.cascade == Some(CascadeOption::Cascade);
    with_referencing(session, &context, &mut tables, cascade)?;
    for table in &tables {
        context.must_have(table, 'D')?;
    }
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for table in &tables {
        transaction.truncate(table.oid);
    }
    drop(transaction);
    if truncate.identity == Some(TruncateIdentityOption::Restart) {
        for sequence in sequences_of(&context, &tables) {
            functions::restart_sequence(&context, &sequence)?;
        }
    }
    Ok(TAG.to_owned())
}

fn add(tables: &mut Vec<Arc<Relation>>, relation: Arc<Relation>) {
    if !tables.iter().any(|one| one.oid == relation.oid) {
        tables.push(relation);
    }
}

/// Tables that refer to truncated ones are truncated with them, or the statement is refused.
fn with_referencing(
    session: &Session,
    context: &QueryContext,
    tables: &mut Vec<Arc<Relation>>,
    cascade: bool,
) -> Result<()> {
    let mut next = 0;
    while let Some(table) = tables.get(next).map(Arc::clone) {
        next += 1;
        let refers = |relation: &Relation| {
            relation.constraints.iter().any(|constraint| {
                matches!(constraint.kind, ConstraintKind::ForeignKey { references, .. } if references == table.oid)
            })
        };
        for other in context.catalog().relations().filter(|relation| refers(relation)) {
            if tables.iter().any(|one| one.oid == other.oid) {
                continue;
            }
            if !cascade {
                let text = "cannot truncate a table referenced in a foreign key constraint";
                return Err(Error::new("0A000", text)
                    .with_detail(format!("Table \"{}\" references \"{}\".", other.name, table.name))
                    .with_hint(format!(
                        "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                        other.name
                    )));
            }
            session.notice(
                "NOTICE",
                "00000",
                format!("truncate cascades to table \"{}\"", other.name),
            );
            tables.push(Arc::clone(other));
        }
    }
    Ok(())
}

fn sequences_of(context: &QueryContext, tables: &[Arc<Relation>]) -> Vec<Arc<Relation>> {
    let owned = |relation: &&Arc<Relation>| match &relation.kind {
        RelationKind::Sequence(sequence) => {
            sequence.owned_by.is_some_and(|(table, _)| tables.iter().any(|one| one.oid == table))
        }
        _ => false,
    };
    context.catalog().relations().filter(owned).map(Arc::clone).collect()
}
