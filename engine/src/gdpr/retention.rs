//! For how long data of people are kept: `gdpr.set_retention`, what `gdpr.acts` is made of, and
//! `gdpr.apply_retention`, which does what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::features::oids::{ASKED, RESTRICTIONS, RETENTION_RULES};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, ListBuilder, RecordBatch, StringViewBuilder,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;

use super::anchor::{self, Anchor};
use super::erase;
use super::officer::must_be_officer;
use super::rows;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::functions::row_kernel::{Kernel, stable};
use crate::planning::context::QueryContext;
use crate::planning::provider::Names;
use crate::session::Session;
use crate::{planning, sql};

/// What can be done with those who are due.
const ACTIONS: &[&str] = &["erase", "archive", "ask"];

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

fn required(name: &str) -> Error {
    Error::new("22004", format!("{name} must not be null"))
}

/// `gdpr.set_retention(purpose, keep_for, action, anchors)`.
pub(super) async fn set_retention(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.set_retention")?;
    let purpose = text(&arguments, 0).ok_or_else(|| required("purpose"))?;
    let keep_for = arguments.get(1).filter(|one| !one.is_null());
    let keep_for = keep_for.ok_or_else(|| required("keep_for"))?;
    if let ScalarValue::IntervalMonthDayNano(Some(kept)) = keep_for {
        let parts = [i64::from(kept.months), i64::from(kept.days), kept.nanoseconds];
        if parts.iter().any(|part| *part < 0) || parts == [0; 3] {
            return Err(Error::new("22023", "keep_for must be a time, not negative or none"));
        }
    }
    let keep_for = keep_for.to_array_of_size(1)?;
    let action = text(&arguments, 2).ok_or_else(|| required("action"))?;
    if !ACTIONS.contains(&action) {
        return Err(Error::new("22023", format!("unrecognized action \"{action}\""))
            .with_hint(format!("Actions are {}.", ACTIONS.join(", "))));
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

/// `gdpr.apply_retention(purpose, dry_run)`: does to those who are due what the rule says.
pub(super) async fn apply_retention(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.apply_retention")?;
    session.writable("CALL")?;
    let purpose = text(&arguments, 0).ok_or_else(|| required("purpose"))?;
    let dry_run = matches!(arguments.get(1), Some(ScalarValue::Boolean(Some(true))));
    let context = session.context().await?;
    let named = purpose.replace('\'', "''");
    let rule = format!("SELECT purpose FROM gdpr.retention WHERE purpose = '{named}'");
    if rows::select(session, &context, &rule).await?.num_rows() == 0 {
        let text = format!("there is no rule of retention \"{purpose}\"");
        return Err(
            Error::new("42704", text).with_hint("SELECT * FROM gdpr.retention shows the rules.")
        );
    }
    let due = format!("SELECT action, customer_id FROM gdpr.due WHERE purpose = '{named}'");
    let due = rows::select(session, &context, &due).await?;
    let mut by_action: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let customers = due.column_by_name("customer_id");
    let customers = customers.and_then(|one| one.as_primitive_opt::<Int64Type>());
    for (row, customer) in customers.into_iter().flatten().enumerate() {
        let action = rows::text(&due, "action", row)
            .and_then(|found| ACTIONS.iter().find(|action| **action == found).copied());
        if let (Some(action), Some(customer)) = (action, customer) {
            by_action.entry(action).or_default().push(customer);
        }
    }
    if !dry_run {
        for (action, customers) in &by_action {
            let what = (*action, purpose);
            Box::pin(apply(session, &context, what, customers)).await?;
        }
    }
    let columns = [
        ("action", texts(by_action.keys().map(|one| Some(*one)))),
        ("customers", numbers(by_action.values().map(|one| i64::try_from(one.len()).ok()))),
    ];
    Ok(Some(RecordBatch::try_from_iter(columns).map_err(Error::internal)?))
}

async fn apply(
    session: &mut Session,
    context: &QueryContext,
    (action, purpose): (&str, &str),
    customers: &[i64],
) -> Result<()> {
    let ground = format!("retention: {purpose}");
    let same = |value: &str| texts(customers.iter().map(|_| Some(value)));
    let now = Utc::now().timestamp_micros();
    let now = times(customers.iter().map(|_| Some(now)));
    let people = numbers(customers.iter().copied().map(Some));
    let role = same(context.role.name.as_str());
    match action {
        "erase" => {
            let all = Int64Array::from(customers.to_vec());
            let all = ScalarValue::List(Arc::new(one_list(all)));
            let none = ScalarValue::Null;
            let reason = ScalarValue::Utf8View(Some(ground));
            let scope = ScalarValue::Utf8View(Some("customer".to_owned()));
            let dry_run = ScalarValue::Boolean(Some(false));
            let (second, third) = (none.clone(), none.clone());
            let arguments = vec![none, second, third, all, reason, scope, dry_run];
            erase::erase(session, arguments).await.map(drop)
        }
        "archive" => {
            let until = times(customers.iter().map(|_| None));
            let row = [people, same(&ground), until, role, now];
            builtin::insert(session, RESTRICTIONS, &row).await
        }
        _ => builtin::insert(session, ASKED, &[people, same(purpose), role, now]).await,
    }
}

fn one_list(values: Int64Array) -> ListArray {
    ListArray::from_iter_primitive::<Int64Type, _, _>([Some(values.iter().collect::<Vec<_>>())])
}
