//! `CREATE TYPE … AS ENUM`, `ALTER TYPE … ADD VALUE` (manual: sql-createtype, datatype-enum).
//!
//! An enumerated type is kept as a domain over text that has its values; they sort as text.

use std::sync::Arc;

use clientele_catalog::definition::{Domain, Object};
use clientele_udfs::types::PgType;
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, ObjectName, UserDefinedTypeRepresentation, Value,
};

use super::alter_table::existing_rows;
use super::rows;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::sql::definitions::NewLabel;

/// Longest label; bytes.
const LABEL_MAX: usize = 63;

/// Runs a CREATE TYPE.
pub(super) async fn create(
    session: &mut Session,
    name: &ObjectName,
    representation: Option<&UserDefinedTypeRepresentation>,
) -> Result<String> {
    const TAG: &str = "CREATE TYPE";
    session.writable(TAG)?;
    let Some(UserDefinedTypeRepresentation::Enum { labels }) = representation else {
        return Err(Error::unsupported("CREATE TYPE of another kind than ENUM"));
    };
    let context = session.context().await?;
    let (schema, name) = context.creation_target(name)?;
    if context.catalog().domain(schema, &name).is_some()
        || context.catalog().relation(schema, &name).is_some()
    {
        return Err(Error::new("42710", format!("type \"{name}\" already exists")));
    }
    let mut known: Vec<String> = Vec::with_capacity(labels.len());
    for Ident { value, .. } in labels {
        valid_label(value)?;
        if known.contains(value) {
            return Err(Error::new("23505", format!("enum label \"{value}\" used more than once")));
        }
        known.push(value.clone());
    }
    let work = session.work().await?;
    work.lock().await.put(Object::Domain(Domain {
        oid: session.store.allocate_oid(),
        schema,
        name,
        owner: context.role.oid,
        pg_type: PgType::TEXT,
        parent: None,
        not_null: false,
        default: None,
        checks: Vec::new(),
        labels: known,
        comment: None,
        grants: None,
    }));
    Ok(TAG.to_owned())
}

fn valid_label(label: &str) -> Result<()> {
    match label.len() {
        0..=LABEL_MAX => Ok(()),
        _ => Err(Error::new("42602", format!("invalid enum label \"{label}\""))
            .with_detail(format!("Labels must be {LABEL_MAX} bytes or less."))),
    }
}

/// Adds a value to an enumerated type.
pub(super) fn add_label(session: &Session, domain: &mut Domain, new: &NewLabel) -> Result<()> {
    if domain.labels.is_empty() {
        return Err(Error::new("42809", format!("{} is not an enum", domain.name)));
    }
    valid_label(&new.label)?;
    if domain.labels.contains(&new.label) {
        let text = format!("enum label \"{}\" already exists", new.label);
        if !new.if_not_exists {
            return Err(Error::new("42710", text));
        }
        session.notice("NOTICE", "42710", format!("{text}, skipping"));
        return Ok(());
    }
    let place = match &new.beside {
        None => domain.labels.len(),
        Some((neighbour, before)) => {
            let found = domain.labels.iter().position(|one| one == neighbour);
            let missing =
                || Error::new("22023", format!("\"{neighbour}\" is not an existing enum label"));
            found.ok_or_else(missing)? + usize::from(!before)
        }
    };
    domain.labels.insert(place, new.label.clone());
    Ok(())
}

/// Gives a value of an enumerated type another name.
pub(super) async fn rename_label(
    session: &Session,
    context: &Arc<QueryContext>,
    domain: &mut Domain,
    (from, to): (&str, &str),
) -> Result<()> {
    valid_label(to)?;
    if domain.labels.iter().any(|label| label == to) {
        return Err(Error::new("42710", format!("enum label \"{to}\" already exists")));
    }
    let label = domain.labels.iter_mut().find(|label| *label == from);
    let missing = || Error::new("22023", format!("\"{from}\" is not an existing enum label"));
    to.clone_into(label.ok_or_else(missing)?);
    // Rows hold their value by its name.
    for (relation, column) in existing_rows::columns_of(context.catalog(), domain.oid) {
        let value = Expr::Value(Value::SingleQuotedString(from.to_owned()).with_empty_span());
        let has = Expr::BinaryOp {
            left: Box::new(Expr::Identifier(rows::quoted(&column))),
            op: BinaryOperator::Eq,
            right: Box::new(value),
        };
        if existing_rows::meets(session, context, &relation, has).await? {
            let text = format!("renaming the value \"{from}\" of column \"{column}\"");
            return Err(Error::unsupported(text)
                .with_hint("Add the new value and update the rows of the old one."));
        }
    }
    Ok(())
}
