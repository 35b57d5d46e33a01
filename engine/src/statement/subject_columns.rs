//! The columns that say whose row it is: `customer_id` and `account_id`, generated.
//!
//! A table with identifiers of people gets `customer_id`, one with identifiers of companies
//! `account_id`, at its end. Storage fills them; nobody writes them.

use clientele_catalog::definition::{Column, Relation, RelationKind};
use clientele_catalog::domains::{self, Kind, Subject};
use clientele_udfs::types::PgType;

use super::rows;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;

/// Gives a table the columns that its identifiers ask for, and takes away those that none asks for
/// any more.
///
/// # Errors
/// 42701 when the table has another column of that name.
pub(super) fn settle(context: &QueryContext, relation: &mut Relation) -> Result<()> {
    if relation.temporary || relation.kind != RelationKind::Table {
        return Ok(());
    }
    for subject in Subject::ALL {
        let names = identifiers(context, relation, subject);
        let shown = format!("{}({})", subject.function(), names.join(", "));
        let own =
            relation.columns.iter_mut().find(|one| one.subject == Some(subject) && !one.dropped);
        match own {
            Some(column) if names.is_empty() && column.generated.is_none() => column.subject = None,
            Some(column) if names.is_empty() => column.dropped = true,
            Some(column) => column.generated = Some(shown),
            None if names.is_empty() => {}
            None => {
                let column = new(relation, subject, shown)?;
                relation.columns.push(column);
            }
        }
    }
    Ok(())
}

/// `CREATE TABLE AS SELECT customer_id, …`: the column stands for what it stood for, and is
/// generated from now on, if there are identifiers beside it.
pub(super) fn adopt(relation: &mut Relation) {
    for subject in Subject::ALL {
        let found = relation.columns.iter_mut().find(|column| column.name == subject.column());
        if let Some(column) = found.filter(|column| column.pg_type == PgType::INT8) {
            column.subject = Some(subject);
        }
    }
}

fn identifiers(context: &QueryContext, relation: &Relation, subject: Subject) -> Vec<String> {
    let identifies = |column: &&Column| {
        let meaning = column.domain.and_then(|oid| domains::meaning(context.catalog(), oid));
        meaning.is_some_and(|one| one.kind == Kind::Identifier(subject))
    };
    relation.live_columns().filter(identifies).map(|column| shown(&column.name)).collect()
}

fn new(relation: &Relation, subject: Subject, generated: String) -> Result<Column> {
    let name = subject.column();
    if relation.column(name).is_some() {
        let text = format!("column \"{name}\" specified more than once");
        return Err(Error::new("42701", text)
            .with_detail(format!("A table with identifiers has a generated column \"{name}\"."))
            .with_hint("Give your column another name."));
    }
    let last = relation.columns.iter().map(|column| column.number).max().unwrap_or(0);
    let mut column = Column::plain(last + 1, name, PgType::INT8);
    column.stored_name = format!("{name} {}", last + 1);
    column.generated = Some(generated);
    column.subject = Some(subject);
    Ok(column)
}

/// A name as SQL, in quotes only where it needs them.
fn shown(name: &str) -> String {
    let plain = name.bytes().all(|one| matches!(one, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if plain { name.to_owned() } else { rows::quoted(name).to_string() }
}

/// Refuses values for generated columns.
///
/// # Errors
/// 428C9.
pub(super) fn refuse_values(relation: &Relation, names: &[String]) -> Result<()> {
    let generated =
        |name: &&String| relation.column(name).is_some_and(|column| column.generated.is_some());
    match names.iter().find(generated) {
        None => Ok(()),
        Some(name) => {
            let text = format!("cannot insert a non-DEFAULT value into column \"{name}\"");
            Err(Error::new("428C9", text)
                .with_detail(format!("Column \"{name}\" is a generated column.")))
        }
    }
}
