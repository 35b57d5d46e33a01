//! Reclassification: a member of `privacy_officer` says how a column is treated, and what it holds.

use std::sync::Arc;

use clientele_catalog::definition::{Column, FIRST_USER_OID, Object, Relation, RelationKind};
use clientele_catalog::domains::{self, Category, Masking};
use clientele_catalog::privacy::{ColumnPrivacy, treatment};
use clientele_udfs::types::PgType;
use sqlparser::ast::{self, ObjectName};

use super::{audit, decision, label};
use crate::error::{Error, Result};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::session::Session;
use crate::sql::place::name_parts;

/// What is to be said about a column.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    /// `open`, `pseudonym`, `generalise`, `null`, or a label of PostgreSQL Anonymizer's.
    pub(crate) treatment: Option<&'a str>,
    /// A category of a record of processing.
    pub(crate) category: Option<&'a str>,
    /// Takes back what was said before.
    pub(crate) forget: bool,
    /// Why; else `clientele.reason` says it.
    pub(crate) reason: Option<&'a str>,
}

/// Says it, in the session's transaction.
///
/// # Errors
/// 42501 for others than officers, 42P01, 42703, 42809 for what has no columns to treat, 22023 for
/// what is no treatment or category, 42804 for a treatment that the type does not have.
pub(crate) async fn classify(
    session: &mut Session,
    (table, column): (&ObjectName, &str),
    said: Said<'_>,
) -> Result<()> {
    let context = session.context().await?;
    if !context.is_privacy_officer() {
        return Err(decision::refused("classify columns"));
    }
    let mut relation = found(&context, table)?.as_ref().clone();
    let undefined = || {
        let text = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
        Error::new("42703", text)
    };
    let place = relation.columns.iter().position(|one| !one.dropped && one.name == column);
    let place = place.ok_or_else(undefined)?;
    let before = &relation.columns[place];
    let mut privacy = before.privacy.as_deref().cloned().unwrap_or_default();
    if said.forget {
        privacy = ColumnPrivacy::default().with_rest_of(Some(&privacy));
    }
    if let Some(text) = said.treatment {
        privacy.masking = Some(masking(&context, before, text)?);
    }
    if let Some(text) = said.category {
        privacy.category = Some(category(text)?);
    }
    if privacy.masking.is_none() {
        // What follows from the table may change with it; what was decided now does not.
        let mut plain = before.clone();
        plain.privacy = None;
        privacy.masking = Some(treatment(context.catalog(), &relation, &plain).masking);
    }
    let decision = decision::now(&context, said.reason);
    let name = audit::full_name(&context, &relation, &relation.columns[place]);
    audit::note_decision(&context, "classify", vec![name], &decision);
    privacy.decision = Some(decision);
    relation.columns[place].privacy = Some(Box::new(privacy));
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(relation));
    Ok(())
}

/// The relation of that name, in any schema: an officer decides about all of them.
fn found(context: &QueryContext, name: &ObjectName) -> Result<Arc<Relation>> {
    let parts = name_parts(name);
    let relation = match context.resolve(&parts)? {
        Some(Named::Relation(relation)) => relation,
        Some(Named::System(_, name)) => {
            let text = format!("permission denied: \"{name}\" is a system catalog");
            return Err(Error::new("42501", text));
        }
        None => return Err(undefined_table(&parts)),
    };
    if relation.oid < FIRST_USER_OID {
        let text = format!("permission denied: \"{}\" is a system catalog", relation.name);
        return Err(Error::new("42501", text));
    }
    if matches!(relation.kind, RelationKind::View { .. } | RelationKind::Sequence(_)) {
        let text = format!("\"{}\" is not a table or materialized view", relation.name);
        return Err(Error::new("42809", text)
            .with_hint("What a view shows follows from the columns of its tables."));
    }
    Ok(relation)
}

fn category(text: &str) -> Result<Category> {
    let names = Category::ALL.map(Category::name).join(", ");
    Category::named(text).ok_or_else(|| {
        Error::new("22023", format!("unrecognized category \"{text}\""))
            .with_hint(format!("Categories are {names}."))
    })
}

fn masking(context: &QueryContext, column: &Column, text: &str) -> Result<Masking> {
    let pg_type = column.pg_type;
    let masking = match label::treatment(text)? {
        label::Label::Is(masking) => masking,
        label::Label::Generalise => {
            let meaning = column.domain.and_then(|oid| domains::meaning(context.catalog(), oid));
            let of_domain = meaning.map(|one| one.masking).filter(|one| one.strictness() == 1);
            match of_domain.or_else(|| generalised(pg_type)) {
                Some(masking) => masking,
                None => return Err(unfit(column, "generalised")),
            }
        }
    };
    let is_text = pg_type.facts().category == 'S';
    let needs_text = matches!(masking, Masking::Pseudonym | Masking::FirstCharacters(_));
    match needs_text && !is_text {
        true => Err(unfit(column, masking.name())),
        false => Ok(masking),
    }
}

/// Days become years, text its first two characters.
fn generalised(pg_type: PgType) -> Option<Masking> {
    let times = [PgType::DATE.oid, PgType::TIMESTAMP.oid, PgType::TIMESTAMPTZ.oid];
    match pg_type.facts().category {
        'D' if times.contains(&pg_type.oid) => Some(Masking::Year),
        'S' => Some(Masking::FirstCharacters(2)),
        _ => None,
    }
}

fn unfit(column: &Column, how: &str) -> Error {
    let type_name = column.pg_type.sql_name();
    let text =
        format!("column \"{}\" of type {type_name} cannot be treated so: {how}", column.name);
    Error::new("42804", text).with_hint("Any column can be treated as null, or be open.")
}

/// A name as `regclass` reads it.
///
/// # Errors
/// 42602.
pub(crate) fn table_name(text: &str) -> Result<ObjectName> {
    match crate::sql::parse::expression(text)? {
        ast::Expr::Identifier(one) => Ok(ObjectName::from(vec![one])),
        ast::Expr::CompoundIdentifier(parts) => Ok(ObjectName::from(parts)),
        _ => Err(Error::new("42602", "invalid name syntax")),
    }
}
