//! `CALL consent.declare_purpose(...)`: what data are used for, on which legal basis, and which
//! personal columns it takes.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::definition::{Object, Oid, Relation};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringViewBuilder};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{Expr, ObjectName, ObjectNamePart};

use super::DECLARATIONS;
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, text};
use crate::planning::context::{Named, QueryContext, undefined_table};
use crate::privacy::{audit, decision};
use crate::session::Session;
use crate::sql::place::name_parts;

/// `text[]`.
const TEXTS: PgType = PgType::plain(1009);

/// GDPR art. 6(1).
const LEGAL_BASES: [&str; 6] = [
    "consent",
    "contract",
    "legal obligation",
    "vital interests",
    "public interest",
    "legitimate interests",
];

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    schema: "consent",
    name: "declare_purpose",
    parameters: &[
        Parameter { name: "purpose", pg_type: PgType::TEXT, default: None },
        Parameter { name: "legal_basis", pg_type: PgType::TEXT, default: Some("'consent'") },
        Parameter { name: "columns", pg_type: TEXTS, default: Some("NULL") },
        Parameter { name: "description", pg_type: PgType::TEXT, default: Some("NULL") },
        Parameter { name: "reason", pg_type: PgType::TEXT, default: Some("NULL") },
    ],
    columns: &[],
    comment: "declares what data are used for: the legal basis, and the personal columns that it takes",
    kernel: |session, arguments| {
        Box::pin(async move {
            declare(session, &arguments).await?;
            Ok(None)
        })
    },
};

async fn declare(session: &mut Session, arguments: &[ScalarValue]) -> Result<()> {
    session.writable("CALL")?;
    let context = session.context().await?;
    if !context.is_privacy_officer() {
        return Err(decision::refused("declare purposes"));
    }
    let missing = || Error::new("22004", "consent.declare_purpose needs a purpose");
    let purpose = text(arguments, 0).filter(|one| !one.is_empty()).ok_or_else(missing)?;
    let basis = text(arguments, 1).unwrap_or("consent");
    if !LEGAL_BASES.contains(&basis) {
        return Err(Error::new("22023", format!("unrecognized legal basis \"{basis}\""))
            .with_hint(format!("Legal bases are {}.", LEGAL_BASES.join(", "))));
    }
    let names = texts(arguments.get(2));
    let columns = names.iter().map(|name| column(&context, name)).collect::<Result<Vec<_>>>()?;
    let decision = decision::now(&context, text(arguments, 4));
    audit::note_decision(&context, "purpose", names.clone(), &decision);
    let reason = decision.reason;
    let changed = declared(&context, purpose, &columns);
    {
        let work = session.work().await?;
        let mut transaction = work.lock().await;
        for relation in changed {
            transaction.put(Object::Relation(relation));
        }
    }
    let mut list = ListBuilder::new(StringViewBuilder::new());
    names.iter().for_each(|name| list.values().append_value(name));
    list.append(true);
    let values = [
        builtin::texts([Some(purpose)]),
        builtin::texts([Some(basis)]),
        Arc::new(list.finish()) as ArrayRef,
        builtin::texts([text(arguments, 3)]),
        builtin::texts([reason.as_deref()]),
        builtin::texts([Some(context.role.name.as_str())]),
        builtin::times([Some(Utc::now().timestamp_micros())]),
    ];
    builtin::insert(session, DECLARATIONS, &values).await
}

fn texts(value: Option<&ScalarValue>) -> Vec<String> {
    let Some(ScalarValue::List(list)) = value else { return Vec::new() };
    let Some(values) = (list.is_valid(0)).then(|| list.value(0)) else { return Vec::new() };
    let Some(values) = values.as_string_view_opt() else { return Vec::new() };
    values.iter().flatten().map(str::to_owned).collect()
}

/// `crm.contacts.email`: the relation and the number of the column.
fn column(context: &QueryContext, name: &str) -> Result<(Oid, i16)> {
    let parts = match crate::sql::parse::expression(name)? {
        Expr::CompoundIdentifier(parts) => parts,
        _ => return Err(Error::new("42602", "a column is named table.column")),
    };
    let names = ObjectName(parts.into_iter().map(ObjectNamePart::Identifier).collect());
    let mut parts = name_parts(&names);
    let column = parts.pop().unwrap_or_default();
    let Some(Named::Relation(relation)) = context.resolve(&parts)? else {
        return Err(undefined_table(&parts));
    };
    let found = relation.column(&column).map(|one| (relation.oid, one.number));
    found.ok_or_else(|| {
        let text = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
        Error::new("42703", text)
    })
}

/// The relations whose columns a declaration changes: those it names, and those it no longer does.
fn declared(context: &QueryContext, purpose: &str, columns: &[(Oid, i16)]) -> Vec<Relation> {
    let mut changed = Vec::new();
    for relation in context.catalog().relations() {
        let mut after = relation.as_ref().clone();
        for column in after.columns.iter_mut().filter(|one| !one.dropped) {
            let wanted = columns.contains(&(relation.oid, column.number));
            let before = column.privacy.as_ref();
            let has = before.is_some_and(|one| one.purposes.iter().any(|one| one == purpose));
            if wanted != has {
                let privacy = column.privacy.get_or_insert_default();
                privacy.purposes.retain(|one| one != purpose);
                privacy.purposes.extend(wanted.then(|| purpose.to_owned()));
            }
        }
        if after != *relation.as_ref() {
            changed.push(after);
        }
    }
    changed
}
