//! What is due by a rule of retention is done: `gdpr.apply_retention`; `gdpr.renew` is the answer of
//! somebody who was asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::features::oids::{ASKED, RESTRICTIONS};
use datafusion::arrow::array::{AsArray, Int64Array, ListArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;

use super::officer::must_be_officer;
use super::retention::{ACTIONS, required};
use super::{erase, rows, subject};
use crate::api::Notice;
use crate::builtin::{self, numbers, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::planning::context::QueryContext;
use crate::session::Session;

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
    must_be_rule(session, &context, purpose).await?;
    let named = purpose.replace('\'', "''");
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
    if by_action.contains_key("erase") {
        warn_of_others(session, &context, &named).await?;
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

/// Refuses the name of no rule.
///
/// # Errors
/// 42704.
async fn must_be_rule(session: &Session, context: &Arc<QueryContext>, purpose: &str) -> Result<()> {
    let named = purpose.replace('\'', "''");
    let rule = format!("SELECT purpose FROM gdpr.retention WHERE purpose = '{named}'");
    match rows::select(session, context, &rule).await?.num_rows() {
        0 => {
            let text = format!("there is no rule of retention \"{purpose}\"");
            let hint = "SELECT * FROM gdpr.retention shows the rules.";
            Err(Error::new("42704", text).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// Tells that rules which somebody has set keep people longer who are to be erased.
async fn warn_of_others(session: &Session, context: &Arc<QueryContext>, named: &str) -> Result<()> {
    let others = format!(
        "SELECT t.purpose, count(DISTINCT t.customer_id) AS customers FROM gdpr.terms AS t \
           JOIN gdpr.retention AS r ON r.purpose = t.purpose \
          WHERE r.source <> 'CNIL' AND t.purpose <> '{named}' AND coalesce(t.archived_until, t.due_at) > now() \
            AND t.customer_id IN (SELECT customer_id FROM gdpr.due WHERE purpose = '{named}' AND action = 'erase') \
          GROUP BY 1 ORDER BY 1"
    );
    let found = rows::select(session, context, &others).await?;
    let other = |row| {
        let customers = rows::number(&found, "customers", row).unwrap_or(0);
        format!("\"{}\" ({customers})", rows::text(&found, "purpose", row).unwrap_or_default())
    };
    let others: Vec<String> = (0..found.num_rows()).map(other).collect();
    if !others.is_empty() {
        let text = format!("customers to be erased are kept longer by {}", others.join(", "));
        let warning = Error { severity: "WARNING", ..Error::new("01000", text) };
        let warning = warning.with_hint("CALL gdpr.hold(…) keeps what the law demands of them.");
        session.shared.notices.lock().push(Notice::Message(warning));
    }
    Ok(())
}

async fn apply(
    session: &mut Session,
    context: &QueryContext,
    (action, purpose): (&str, &str),
    customers: &[i64],
) -> Result<()> {
    let ground = format!("retention: {purpose}");
    let same = |value: &str| texts(customers.iter().map(|_| Some(value)));
    let at = |instant: Option<i64>| times(customers.iter().map(|_| instant));
    let now = at(Some(Utc::now().timestamp_micros()));
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
        // Until they are erased: what an archive has is not used again when its time is over.
        "archive" => {
            let row = [people, same(&ground), at(None), role, now];
            builtin::insert(session, RESTRICTIONS, &row).await
        }
        _ => builtin::insert(session, ASKED, &[people, same(purpose), role, now, at(None)]).await,
    }
}

fn one_list(values: Int64Array) -> ListArray {
    ListArray::from_iter_primitive::<Int64Type, _, _>([Some(values.iter().collect::<Vec<_>>())])
}

/// `gdpr.renew(subject, purpose)`: notes that a person who was asked wants to stay, which counts as an
/// act.
pub(super) async fn renew(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.renew")?;
    let context = session.context().await?;
    let person = subject::find(&context, text(&arguments, 0).ok_or_else(|| required("subject"))?)?;
    let purpose = text(&arguments, 1).ok_or_else(|| required("purpose"))?;
    must_be_rule(session, &context, purpose).await?;
    let now = times([Some(Utc::now().timestamp_micros())]);
    let row = [
        numbers([person.customer.map(i64::from)]),
        texts([Some(purpose)]),
        texts([Some(context.role.name.as_str())]),
        Arc::clone(&now),
        now,
    ];
    builtin::insert(session, ASKED, &row).await?;
    Ok(None)
}
