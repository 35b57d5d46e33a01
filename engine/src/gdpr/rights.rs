//! Rectification, restriction and objection (GDPR art. 16, 18, 21), and what processing is for.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::customers::{PINNED_VALUES, Touchpoints};
use clientele_catalog::domains::{self, Subject as Kind};
use clientele_catalog::features::oids::{OBJECTIONS, PROCESSING, RESTRICTIONS};
use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use datafusion::scalar::ScalarValue;
use serde_json::json;

use super::access::record;
use super::officer::must_be_officer;
use super::rows;
use super::subject;
use crate::api::Notice;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::planning::context::QueryContext;
use crate::session::Session;

fn required<'a>(arguments: &'a [ScalarValue], at: usize, name: &str) -> Result<&'a str> {
    text(arguments, at).ok_or_else(|| Error::new("22004", format!("{name} must not be null")))
}

fn now() -> ArrayRef {
    times([Some(Utc::now().timestamp_micros())])
}

fn role(context: &QueryContext) -> ArrayRef {
    texts([Some(context.role.name.as_str())])
}

/// The customer that a node belongs to, as rows keep it.
fn customer(context: &QueryContext, node: u32) -> i64 {
    i64::from(context.snapshot.customers.person.customer(node))
}

/// `gdpr.rectify(subject, attribute, value, reason)`: the value holds whatever sources say.
pub(super) async fn rectify(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.rectify")?;
    let context = session.context().await?;
    let person = subject::find(&context, required(&arguments, 0, "subject")?)?;
    let attribute = required(&arguments, 1, "attribute")?;
    let value = required(&arguments, 2, "value")?;
    let reason = text(&arguments, 3);
    let touchpoints = Touchpoints::of(context.catalog(), Kind::Person);
    let known = touchpoints.attributes.iter().find(|one| one.name == attribute);
    let known = known.ok_or_else(|| {
        Error::new("42703", format!("column \"{attribute}\" does not exist"))
            .with_hint("\\d customers.profiles shows the attributes.")
    })?;
    if let Some(domain) = domains::meaning(context.catalog(), known.domain) {
        (domain.validate)(value).map_err(|why| {
            let (name, check) = (domain.name, domain.check_name());
            let text = format!("value for domain {name} violates check constraint \"{check}\"");
            Error::new("23514", text).with_detail(format!("It is no {name}: {why}."))
        })?;
    }
    let pinned: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let row = [
        numbers([Some(customer(&context, person.node))]),
        texts([Some(attribute)]),
        texts([Some(value)]),
        pinned,
        texts([reason]),
        role(&context),
        now(),
    ];
    builtin::insert(session, PINNED_VALUES, &row).await?;
    let reason = reason.map(str::to_owned);
    let done = (reason, json!({"attribute": attribute}));
    record(session, &context, ("rectification", &person), done).await?;
    Ok(None)
}

/// `gdpr.restrict(subject, ground, restricted_until)`.
pub(super) async fn restrict(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.restrict")?;
    let context = session.context().await?;
    let person = subject::find(&context, required(&arguments, 0, "subject")?)?;
    let ground = required(&arguments, 1, "ground")?;
    let until = rows::until(&arguments, 2, "restricted_until")?;
    let row = [
        numbers([Some(customer(&context, person.node))]),
        texts([Some(ground)]),
        times([until]),
        role(&context),
        now(),
    ];
    builtin::insert(session, RESTRICTIONS, &row).await?;
    let done = (Some(ground.to_owned()), json!({}));
    record(session, &context, ("restriction", &person), done).await?;
    Ok(None)
}

/// `gdpr.unrestrict(subject, reason)`.
pub(super) async fn unrestrict(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.unrestrict")?;
    let context = session.context().await?;
    let person = subject::find(&context, required(&arguments, 0, "subject")?)?;
    let relation = context.catalog().relation_by_oid(RESTRICTIONS);
    let relation = relation.ok_or_else(|| Error::internal("a built-in relation is missing"))?;
    let customers = &context.snapshot.customers.person;
    let nodes = customers.members(customers.customer(person.node)).into_iter().collect();
    let found = context.store.rows_of_nodes(&context.snapshot, relation, &nodes)?;
    if found.is_empty() {
        return Err(Error::new("P0002", "that customer is not restricted")
            .with_hint("SELECT * FROM gdpr.restrictions shows who is."));
    }
    {
        let work = session.work().await?;
        work.lock().await.delete(RESTRICTIONS, &found)?;
    }
    let done = (text(&arguments, 1).map(str::to_owned), json!({}));
    record(session, &context, ("end of restriction", &person), done).await?;
    Ok(None)
}

/// `gdpr.object(subject, purpose, reason)`.
pub(super) async fn object(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.object")?;
    let context = session.context().await?;
    let person = subject::find(&context, required(&arguments, 0, "subject")?)?;
    let purpose = required(&arguments, 1, "purpose")?;
    let row = [
        numbers([Some(customer(&context, person.node))]),
        texts([Some(purpose)]),
        role(&context),
        now(),
    ];
    builtin::insert(session, OBJECTIONS, &row).await?;
    let named = purpose.replace('\'', "''");
    let declared = format!(
        "SELECT 1 FROM consent.purposes \
          WHERE purpose = '{named}' OR starts_with(purpose, '{named}.')"
    );
    if rows::select(session, &context, &declared).await?.num_rows() == 0 {
        let text = format!("no purpose \"{purpose}\" is declared, nor one below it");
        let warning = Error { severity: "WARNING", ..Error::new("01000", text) };
        let warning = warning.with_hint(
            "SELECT * FROM consent.purposes shows what data are used for: object to those meant.",
        );
        session.shared.notices.lock().push(Notice::Message(warning));
    }
    let done = (text(&arguments, 2).map(str::to_owned), json!({"purpose": purpose}));
    record(session, &context, ("objection", &person), done).await?;
    Ok(None)
}

/// The legal bases of GDPR art. 6(1).
const BASES: &[&str] = &[
    "consent",
    "contract",
    "legal obligation",
    "vital interests",
    "public interest",
    "legitimate interests",
];

/// `gdpr.declare(table_name, purposes, legal_basis, origin, recipients, transfers, keep_for, persons)`.
pub(super) async fn declare(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.declare")?;
    let context = session.context().await?;
    let relation = rows::table(&context, required(&arguments, 0, "table_name")?)?;
    let basis = required(&arguments, 2, "legal_basis")?;
    if !BASES.contains(&basis) {
        return Err(Error::new("22023", format!("unrecognized legal basis \"{basis}\""))
            .with_hint(format!("Legal bases are {}.", BASES.join(", "))));
    }
    let given = |at: usize| -> Result<ArrayRef> {
        let value = arguments.get(at).ok_or_else(|| Error::internal("an argument is missing"))?;
        Ok(value.to_array_of_size(1)?)
    };
    if matches!(arguments.get(1), Some(one) if one.is_null()) {
        return Err(Error::new("22004", "purposes must not be null"));
    }
    let name = context.catalog().qualified_name(&relation);
    let row = [
        texts([Some(name.as_str())]),
        given(1)?,
        texts([Some(basis)]),
        texts([text(&arguments, 3)]),
        given(4)?,
        texts([text(&arguments, 5)]),
        given(6)?,
        role(&context),
        now(),
        given(7)?,
        numbers([Some(i64::from(relation.oid))]),
    ];
    builtin::insert(session, PROCESSING, &row).await?;
    Ok(None)
}
