//! `gdpr.set_retention`: for how long data of people are kept.

use chrono::Utc;
use clientele_catalog::features::oids::RETENTION_RULES;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::scalar::ScalarValue;

use super::officer::must_be_officer;
use super::rows;
use crate::builtin::{self, texts, times};
use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::session::Session;

/// What can be done with those who are due.
const ACTIONS: &[&str] = &["erase", "archive", "ask"];

/// `gdpr.set_retention(purpose, keep_for, action, anchors)`.
pub(super) async fn set_retention(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    must_be_officer(session, "gdpr.set_retention")?;
    let needs = |name: &str| Error::new("22004", format!("{name} must not be null"));
    let purpose = text(&arguments, 0).ok_or_else(|| needs("purpose"))?;
    let keep_for = arguments.get(1).filter(|one| !one.is_null());
    let keep_for = keep_for.ok_or_else(|| needs("keep_for"))?.to_array_of_size(1)?;
    let action = text(&arguments, 2).ok_or_else(|| needs("action"))?;
    if !ACTIONS.contains(&action) {
        return Err(Error::new("22023", format!("unrecognized action \"{action}\""))
            .with_hint(format!("Actions are {}.", ACTIONS.join(", "))));
    }
    let context = session.context().await?;
    let anchors = arguments.get(3).ok_or_else(|| Error::internal("an argument is missing"))?;
    if let ScalarValue::List(list) = anchors
        && !list.is_empty()
        && list.is_valid(0)
    {
        let names = list.value(0);
        for name in names.as_string_view_opt().into_iter().flatten().flatten() {
            rows::table(&context, name)?;
        }
    }
    let row = [
        texts([Some(purpose)]),
        anchors.to_array_of_size(1)?,
        keep_for,
        texts([Some(action)]),
        texts([Some(context.role.name.as_str())]),
        times([Some(Utc::now().timestamp_micros())]),
    ];
    builtin::insert(session, RETENTION_RULES, &row).await?;
    Ok(None)
}
