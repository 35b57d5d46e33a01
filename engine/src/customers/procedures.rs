//! What `CALL` changes about profiles. Every change is a new row; the latest one holds.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::customers::{HOUSEHOLD_RULES, PINNED_VALUES, SURVIVORSHIP, Touchpoints};
use clientele_catalog::domains::Subject;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListBuilder, RecordBatch, StringViewArray,
    StringViewBuilder,
};
use datafusion::scalar::ScalarValue;

use super::survivorship::{EVERY, STRATEGIES};
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, superuser, text};
use crate::planning::context::QueryContext;
use crate::session::Session;

const fn parameter(
    name: &'static str,
    pg_type: PgType,
    default: Option<&'static str>,
) -> Parameter {
    Parameter { name, pg_type, default }
}

/// Every procedure.
pub(crate) static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "customers",
        name: "set_survivorship",
        parameters: &[
            parameter("attribute", PgType::TEXT, None),
            parameter("strategy", PgType::TEXT, Some("'most_recent'")),
            parameter("sources", TEXTS, Some("NULL")),
        ],
        columns: &[],
        comment: "sets which of several values of an attribute the profile shows; * is for all without a rule",
        kernel: |session, arguments| Box::pin(set_survivorship(session, arguments)),
    },
    Procedure {
        schema: "customers",
        name: "pin",
        parameters: &[
            parameter("customer_id", PgType::INT8, None),
            parameter("attribute", PgType::TEXT, None),
            parameter("value", PgType::TEXT, None),
            parameter("reason", PgType::TEXT, Some("NULL")),
        ],
        columns: &[],
        comment: "makes the profile show a value whatever the sources say",
        kernel: |session, arguments| Box::pin(pin(session, arguments, true)),
    },
    Procedure {
        schema: "customers",
        name: "unpin",
        parameters: &[
            parameter("customer_id", PgType::INT8, None),
            parameter("attribute", PgType::TEXT, None),
        ],
        columns: &[],
        comment: "takes back what customers.pin said",
        kernel: |session, arguments| Box::pin(pin(session, arguments, false)),
    },
    Procedure {
        schema: "customers",
        name: "set_households",
        parameters: &[
            parameter("enabled", PgType::BOOL, Some("true")),
            parameter("same_family_name", PgType::BOOL, Some("true")),
        ],
        columns: &[],
        comment: "says whether people of one address are a household, and whether their family name matters",
        kernel: |session, arguments| Box::pin(set_households(session, arguments)),
    },
];

/// `text[]`.
const TEXTS: PgType = PgType { oid: 1009, modifier: -1 };

fn required<'a>(arguments: &'a [ScalarValue], at: usize, name: &str) -> Result<&'a str> {
    text(arguments, at).ok_or_else(|| Error::new("22004", format!("{name} must not be null")))
}

async fn set_survivorship(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "customers.set_survivorship")?;
    let attribute = required(&arguments, 0, "attribute")?;
    let strategy = required(&arguments, 1, "strategy")?;
    let context = session.context().await?;
    let all = Subject::ALL.map(|subject| Touchpoints::of(context.catalog(), subject));
    let known = all.iter().flat_map(|one| &one.attributes).any(|one| one.name == attribute);
    if attribute != EVERY && !known {
        return Err(no_attribute(attribute));
    }
    if !STRATEGIES.iter().any(|(name, _)| *name == strategy) {
        let names: Vec<&str> = STRATEGIES.iter().map(|(name, _)| *name).collect();
        return Err(Error::new("22023", format!("unrecognized strategy \"{strategy}\""))
            .with_hint(format!("Strategies are {}.", names.join(", "))));
    }
    let sources = texts(&arguments, 2);
    for source in sources.iter().flatten() {
        let mut tables = all.iter().flat_map(|one| &one.tables);
        if !tables.any(|table| table.source == *source) {
            let text = format!("\"{source}\" is not a table with identifiers");
            return Err(Error::new("42809", text).with_hint("Name tables with their schemas."));
        }
    }
    if strategy == "source_priority" && sources.as_ref().is_none_or(Vec::is_empty) {
        return Err(Error::new("22023", "source_priority needs sources")
            .with_hint("Name the tables, the most trusted first."));
    }
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    let given = sources.is_some();
    sources.into_iter().flatten().for_each(|one| lists.values().append_value(one));
    lists.append(given);
    let row: Vec<ArrayRef> = vec![one(attribute), one(strategy), Arc::new(lists.finish())];
    insert(session, &context, SURVIVORSHIP, row).await
}

async fn pin(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
    pinned: bool,
) -> Result<Option<RecordBatch>> {
    superuser(session, if pinned { "customers.pin" } else { "customers.unpin" })?;
    let customer = match arguments.first() {
        Some(ScalarValue::Int64(Some(customer))) => *customer,
        _ => return Err(Error::new("22004", "customer_id must not be null")),
    };
    let attribute = required(&arguments, 1, "attribute")?;
    let context = session.context().await?;
    let touchpoints = Touchpoints::of(context.catalog(), Subject::Person);
    let found = touchpoints.attributes.iter().find(|one| one.name == attribute);
    let found = found.ok_or_else(|| no_attribute(attribute))?;
    let node = u32::try_from(customer).unwrap_or(0);
    if node == 0 || context.snapshot.customers.person.customer(node) != node {
        return Err(Error::new("P0002", format!("customer {customer} does not exist")));
    }
    let value = if pinned { Some(required(&arguments, 2, "value")?) } else { None };
    if let Some(value) = value {
        super::pins::check(context.catalog(), found, value)?;
    }
    let texts = |text: Option<&str>| -> ArrayRef { Arc::new(StringViewArray::from(vec![text])) };
    let row: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![customer])),
        one(attribute),
        texts(value),
        Arc::new(BooleanArray::from(vec![pinned])),
        texts(text(&arguments, 3).filter(|_| pinned)),
    ];
    insert(session, &context, PINNED_VALUES, row).await
}

async fn set_households(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "customers.set_households")?;
    let truth = |at: usize| -> ArrayRef {
        let value = matches!(arguments.get(at), Some(ScalarValue::Boolean(Some(true))));
        Arc::new(BooleanArray::from(vec![value]))
    };
    let row = vec![truth(0), truth(1)];
    let context = session.context().await?;
    insert(session, &context, HOUSEHOLD_RULES, row).await
}

fn no_attribute(name: &str) -> Error {
    Error::new("42703", format!("column \"{name}\" does not exist"))
        .with_hint("\\d customers.profiles shows the attributes.")
}

fn one(text: &str) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values([text]))
}

/// The texts of an array argument; `None` for NULL.
fn texts(arguments: &[ScalarValue], at: usize) -> Option<Vec<String>> {
    let Some(ScalarValue::List(list)) = arguments.get(at) else { return None };
    if list.is_empty() || list.is_null(0) {
        return None;
    }
    let values = list.value(0);
    let values = values.as_string_view_opt()?;
    Some(values.iter().flatten().map(str::to_owned).collect())
}

/// Adds a row, with who says so and when at its end.
async fn insert(
    session: &mut Session,
    context: &QueryContext,
    relation: u32,
    mut columns: Vec<ArrayRef>,
) -> Result<Option<RecordBatch>> {
    columns.push(one(&context.role.name));
    columns.push(builtin::times([Some(Utc::now().timestamp_micros())]));
    builtin::insert(session, relation, &columns).await?;
    Ok(None)
}
