//! For how long data of people are kept: `gdpr.set_retention`, and what `gdpr.acts` is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::features::oids::RETENTION_RULES;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, ListBuilder, RecordBatch, StringViewBuilder,
};
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;

use super::anchor::{self, Anchor};
use super::officer::must_be_officer;
use super::rows;
use crate::builtin::{self, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::functions::row_kernel::{Kernel, stable};
use crate::planning::context::QueryContext;
use crate::planning::provider::Names;
use crate::session::Session;
use crate::{planning, sql};

/// What can be done with those who are due.
pub(super) const ACTIONS: &[&str] = &["erase", "archive", "ask"];

/// `gdpr.default_anchors()`.
pub(super) const DEFAULT_ANCHORS: Kernel = Kernel {
    name: "gdpr.default_anchors",
    arguments: "",
    signature: stable(0, 0, PgType { oid: 1009, modifier: -1 }),
    comment: "the anchors of rules of retention that name none: every table with customers and times; of mails the clicks",
    call: |context, _| {
        let catalog = context.catalog();
        let anchors = anchor::defaults(catalog);
        let anchors = list(anchors.iter().map(|one| one.text(catalog)));
        Ok(ScalarValue::List(Arc::new(anchors)))
    },
};

fn list(values: impl Iterator<Item = String>) -> ListArray {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    values.for_each(|one| builder.values().append_value(one));
    builder.append(true);
    builder.finish()
}

pub(super) fn required(name: &str) -> Error {
    Error::new("22004", format!("{name} must not be null"))
}

/// A span of time among arguments, or NULL.
///
/// # Errors
/// 22023 for none, or a negative one.
fn term(arguments: &[ScalarValue], at: usize, name: &str) -> Result<ArrayRef> {
    let span = match arguments.get(at) {
        Some(ScalarValue::IntervalMonthDayNano(span)) => *span,
        _ => None,
    };
    if let Some(span) = span {
        let parts = [i64::from(span.months), i64::from(span.days), span.nanoseconds];
        if parts.iter().any(|part| *part < 0) || parts == [0; 3] {
            return Err(Error::new(
                "22023",
                format!("{name} must be a time, not negative or none"),
            ));
        }
    }
    Ok(ScalarValue::IntervalMonthDayNano(span).to_array_of_size(1)?)
}

/// `gdpr.set_retention(purpose, keep_for, action, anchors, archive_for)`.
pub(super) async fn set_retention(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.set_retention")?;
    let purpose = text(&arguments, 0).ok_or_else(|| required("purpose"))?;
    let keep_for = term(&arguments, 1, "keep_for")?;
    if keep_for.is_null(0) {
        return Err(required("keep_for"));
    }
    let action = text(&arguments, 2).ok_or_else(|| required("action"))?;
    if !ACTIONS.contains(&action) {
        return Err(Error::new("22023", format!("unrecognized action \"{action}\""))
            .with_hint(format!("Actions are {}.", ACTIONS.join(", "))));
    }
    let archive_for = term(&arguments, 4, "archive_for")?;
    if archive_for.is_valid(0) && action != "archive" {
        return Err(Error::new("22023", "archive_for needs action archive"));
    }
    let context = session.context().await?;
    let anchors = arguments.get(3).ok_or_else(|| Error::internal("an argument is missing"))?;
    let anchors = match names(anchors) {
        None => anchors.to_array_of_size(1)?,
        Some(names) => {
            let anchors = names.iter().map(|name| {
                let anchor = Anchor::read(&context, name)?;
                anchor.check(&context)?;
                Ok(anchor.text(context.catalog()))
            });
            let anchors = anchors.collect::<Result<BTreeSet<String>>>()?;
            if anchors.is_empty() {
                return Err(Error::new("22023", "anchors must not be empty")
                    .with_hint("NULL stands for all tables."));
            }
            Arc::new(list(anchors.into_iter())) as ArrayRef
        }
    };
    let row = [
        texts([Some(purpose)]),
        anchors,
        keep_for,
        texts([Some(action)]),
        texts([Some(context.role.name.as_str())]),
        times([Some(Utc::now().timestamp_micros())]),
        archive_for,
    ];
    builtin::insert(session, RETENTION_RULES, &row).await?;
    Ok(None)
}

/// The texts of an array; `None` for NULL.
fn names(value: &ScalarValue) -> Option<Vec<String>> {
    let ScalarValue::List(list) = value else { return None };
    if list.is_empty() || list.is_null(0) {
        return None;
    }
    let names = list.value(0);
    let names = names.as_string_view_opt().into_iter().flatten().flatten();
    Some(names.map(str::to_owned).collect())
}

/// The plan of `gdpr.acts`: the acts that the rules in force count. Conditions are those of an officer
/// who sees what they are over; they are decided by values as they are stored, for everybody.
///
/// # Errors
/// An anchor whose table or column is gone.
pub(crate) fn acts(context: &QueryContext) -> Result<LogicalPlan> {
    let catalog = context.catalog();
    let mut anchors: BTreeMap<String, Anchor> = BTreeMap::new();
    for one in anchor::defaults(catalog) {
        anchors.insert(one.text(catalog), one);
    }
    let all = context.as_role(BOOTSTRAP_ROLE_OID).seeing_clear();
    for (purpose, names) in in_force(context)? {
        for name in names {
            let read = Anchor::read(&all, &name).map_err(|error| {
                let rule = format!("An anchor of the rule of retention \"{purpose}\" names it.");
                error.with_detail(rule).with_hint("Set the rule anew with gdpr.set_retention.")
            })?;
            anchors.insert(name, read);
        }
    }
    let mut query = String::from(
        "SELECT NULL::int8 AS customer_id, NULL::text AS anchor, NULL::timestamptz AS last_act_at, \
         NULL::timestamptz AS first_seen_at WHERE false",
    );
    for (label, anchor) in &anchors {
        query.push_str(" UNION ALL ");
        query.push_str(&anchor.acts(catalog, label));
    }
    let names = Names::new(&all);
    Ok(planning::plan_with(&names, sql::parse::query(&query)?, &[])?.0)
}

/// The anchors of the rules in force, by purpose.
fn in_force(context: &QueryContext) -> Result<BTreeMap<String, Vec<String>>> {
    let mut latest: BTreeMap<String, (i64, Vec<String>)> = BTreeMap::new();
    for (row, _) in &rows::stored(&context.store, &context.snapshot, RETENTION_RULES)? {
        let purpose = rows::text(row, "purpose", 0).unwrap_or_default().to_owned();
        let at = rows::instant(row, "set_at", 0).unwrap_or(0);
        if latest.get(&purpose).is_none_or(|(known, _)| *known <= at) {
            let anchors = row.column_by_name("anchors").and_then(|one| one.as_list_opt::<i32>());
            let anchors = anchors.map(|one| ScalarValue::List(Arc::new(one.clone())));
            latest.insert(purpose, (at, anchors.as_ref().and_then(names).unwrap_or_default()));
        }
    }
    Ok(latest.into_iter().map(|(purpose, (_, anchors))| (purpose, anchors)).collect())
}
