//! What `CALL` changes about identity. Each takes effect, for the past as well, when it commits.

use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::features::oids;
use clientele_catalog::storage::Said;
use clientele_identity::graph::{Limits, LinkKind};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use datafusion::scalar::ScalarValue;

use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, superuser, text};
use crate::handle;
use crate::national_numbers::normalized;
use crate::planning::context::QueryContext;
use crate::session::Session;

const fn text_parameter(name: &'static str, default: Option<&'static str>) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default }
}

const fn limit(name: &'static str) -> Parameter {
    Parameter { name, pg_type: PgType::INT8, default: Some("NULL") }
}

/// Two identifiers and why.
const PAIR: &[Parameter] =
    &[text_parameter("a", None), text_parameter("b", None), text_parameter("reason", Some("NULL"))];

/// Every procedure.
pub(crate) static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "identity",
        name: "set_rule",
        parameters: &[
            text_parameter("namespace", None),
            limit("priority"),
            limit("max_per_customer"),
            limit("max_fan_out"),
        ],
        columns: &[],
        comment: "sets limits of a namespace, for the past as well; what is not given stays, -1 is no limit",
        kernel: |session, arguments| Box::pin(set_rule(session, arguments)),
    },
    Procedure {
        schema: "identity",
        name: "block_value",
        parameters: &[
            text_parameter("namespace", None),
            text_parameter("pattern", None),
            Parameter { name: "regex", pg_type: PgType::BOOL, default: Some("false") },
            text_parameter("reason", Some("''")),
        ],
        columns: &[],
        comment: "says that a value, or all that a regular expression matches, identifies nobody",
        kernel: |session, arguments| Box::pin(block_value(session, arguments)),
    },
    Procedure {
        schema: "identity",
        name: "unblock_value",
        parameters: &[text_parameter("namespace", None), text_parameter("pattern", None)],
        columns: &[],
        comment: "takes back what identity.block_value or the defaults said",
        kernel: |session, arguments| Box::pin(unblock_value(session, arguments)),
    },
    Procedure {
        schema: "identity",
        name: "merge",
        parameters: PAIR,
        columns: &[],
        comment: "says that two identifiers are one customer, whatever was seen",
        kernel: |session, arguments| {
            Box::pin(say(session, arguments, Some(LinkKind::Merged), "identity.merge"))
        },
    },
    Procedure {
        schema: "identity",
        name: "split",
        parameters: PAIR,
        columns: &[],
        comment: "says that two identifiers are never one customer, whatever is seen",
        kernel: |session, arguments| {
            Box::pin(say(session, arguments, Some(LinkKind::Split), "identity.split"))
        },
    },
    Procedure {
        schema: "identity",
        name: "unlink",
        parameters: PAIR,
        columns: &[],
        comment: "takes back merges, splits and matches between two identifiers",
        kernel: |session, arguments| Box::pin(say(session, arguments, None, "identity.unlink")),
    },
];

/// The limits that a namespace has now, with those that are given in their place.
pub(super) fn changed_limits(
    context: &QueryContext,
    namespace: &str,
    given: &[ScalarValue],
) -> Result<Limits> {
    if namespace != "*" {
        handle::namespace(context, namespace)?;
    }
    let mut limits = context.store.limits(&context.snapshot, namespace)?;
    let number = |at: usize, name: &str, least: i64| match given.get(at) {
        Some(ScalarValue::Int64(Some(value))) if *value == -1 && least > 0 => Ok(Some(None)),
        Some(ScalarValue::Int64(Some(value))) if *value >= least && *value <= 1_000_000_000 => {
            Ok(Some(u32::try_from(*value).ok()))
        }
        Some(ScalarValue::Int64(Some(_))) => {
            Err(Error::new("22023", format!("{name} is out of range"))
                .with_hint("Use -1 for no limit."))
        }
        _ => Ok(None),
    };
    if let Some(Some(priority)) = number(0, "priority", 0)? {
        limits.priority =
            u16::try_from(priority).map_err(|_| Error::new("22023", "priority is out of range"))?;
    }
    if let Some(per_customer) = number(1, "max_per_customer", 1)? {
        limits.per_customer = per_customer;
    }
    if let Some(fan_out) = number(2, "max_fan_out", 1)? {
        limits.fan_out = fan_out;
    }
    Ok(limits)
}

/// Refuses what is no regular expression.
pub(super) fn must_be_regex(pattern: &str) -> Result<()> {
    regex::Regex::new(pattern)
        .map(drop)
        .map_err(|error| Error::new("2201B", format!("invalid regular expression: {error}")))
}

fn required<'a>(arguments: &'a [ScalarValue], at: usize, name: &str) -> Result<&'a str> {
    text(arguments, at).ok_or_else(|| Error::new("22004", format!("{name} must not be null")))
}

fn one(text: &str) -> ArrayRef {
    builtin::texts([Some(text)])
}

async fn set_rule(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "identity.set_rule")?;
    let namespace = required(&arguments, 0, "namespace of a rule")?;
    let context = session.context().await?;
    let limits = changed_limits(&context, namespace, arguments.get(1..).unwrap_or_default())?;
    let number = |value: Option<u32>| builtin::numbers([value.map(i64::from)]);
    let row = [
        one(namespace),
        number(Some(u32::from(limits.priority))),
        number(limits.per_customer),
        number(limits.fan_out),
        one(&context.role.name),
        builtin::times([Some(Utc::now().timestamp_micros())]),
    ];
    builtin::insert(session, oids::RULE_CHANGES, &row).await?;
    Ok(None)
}

async fn block_value(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "identity.block_value")?;
    let namespace = required(&arguments, 0, "namespace of a blocked value")?;
    let pattern = required(&arguments, 1, "pattern of a blocked value")?;
    let regex = matches!(arguments.get(2), Some(ScalarValue::Boolean(Some(true))));
    let context = session.context().await?;
    let mut pattern = pattern.to_owned();
    if regex {
        must_be_regex(&pattern)?;
    } else if namespace != "*" {
        let (_, meaning, _) = handle::namespace(&context, namespace)?;
        pattern = normalized(&context, meaning, &pattern).unwrap_or(pattern);
    }
    let row = [
        one(namespace),
        one(&pattern),
        Arc::new(BooleanArray::from(vec![regex])),
        one(text(&arguments, 3).unwrap_or_default()),
    ];
    builtin::insert(session, oids::BLOCKED_VALUES, &row).await?;
    Ok(None)
}

async fn unblock_value(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "identity.unblock_value")?;
    let namespace = required(&arguments, 0, "namespace of a blocked value")?;
    let pattern = required(&arguments, 1, "pattern of a blocked value")?;
    let context = session.context().await?;
    let rows = context.store.blocked_rows(&context.snapshot, namespace, pattern)?;
    if rows.is_empty() {
        return Err(Error::new("P0002", "no such value is blocked")
            .with_hint("SELECT * FROM identity.blocked_values shows what is."));
    }
    let work = session.work().await?;
    work.lock().await.delete(oids::BLOCKED_VALUES, &rows)?;
    Ok(None)
}

async fn say(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
    kind: Option<LinkKind>,
    procedure: &'static str,
) -> Result<Option<RecordBatch>> {
    superuser(session, procedure)?;
    let context = session.context().await?;
    let a = handle::find(&context, required(&arguments, 0, "the first identifier")?)?;
    let b = handle::find(&context, required(&arguments, 1, "the second identifier")?)?;
    if a.subject != b.subject {
        return Err(Error::new("22023", "a person and a company cannot be one"));
    }
    if a.node == b.node {
        return Err(Error::new("22023", "both identifiers are the same"));
    }
    let said = |kind| Said { ends: (a.node, b.node), kind, probability: None, comparison: None };
    // What is said now takes the place of what was said before.
    let all: Vec<Said> = [None].into_iter().chain(kind.map(Some)).map(said).collect();
    let reason = text(&arguments, 2);
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    for one in all {
        transaction.link(a.subject, &[one], (&context.role.name, reason))?;
    }
    Ok(None)
}
