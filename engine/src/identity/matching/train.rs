//! `CALL identity.train(…)`.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_catalog::features::oids;
use clientele_identity::matching::{Links, Prepared, Settings, train};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use datafusion::scalar::ScalarValue;

use super::columns::{self, Asked};
use super::models::{self, Kept};
use super::procedures::TRAINED;
use super::records;
use crate::error::{Error, Result};
use crate::functions::procedures::{result, superuser, text};
use crate::session::Session;

/// Learns a model from the rows that there are and keeps it.
pub(super) async fn run(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "identity.train")?;
    let context = session.context().await?;
    let asked = Asked {
        tables: text(&arguments, 0).unwrap_or_default().to_owned(),
        columns: text(&arguments, 1).unwrap_or_default().to_owned(),
    };
    let across = matches!(arguments.get(2), Some(ScalarValue::Boolean(Some(true))));
    let id = models::numbers(&context)?.into_iter().max().unwrap_or(0) + 1;
    let plan = columns::plan(&context, &asked)?;
    let seen = Arc::clone(&context);
    let (model, count) = session
        .compute(async move {
            let found = records::read(&seen, &plan, &HashSet::new())?;
            if found.nodes.len() < 2 {
                return Err(Error::new("55000", "there are no records to learn from"));
            }
            let links = if across { Links::AcrossSources } else { Links::All };
            let settings = Settings { links, ..Settings::default() };
            let prepared = Prepared::new(&found.records);
            Ok((train(&prepared, &settings, &mut |_| ()), found.nodes.len()))
        })
        .await?;
    let rules = model.rules.len();
    let lambda = model.lambda;
    let kept = Kept { id, asked, model };
    let [head, levels] = models::rows(&kept, count, &context.role.name)?;
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.insert(oids::MODELS, head)?;
    transaction.insert(oids::MODEL_LEVELS, levels)?;
    let number = |value: usize| -> ArrayRef {
        Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)]))
    };
    let id: ArrayRef = Arc::new(Int64Array::from(vec![kept.id]));
    let lambda: ArrayRef = Arc::new(Float64Array::from(vec![lambda]));
    result(TRAINED, vec![id, number(count), number(rules), lambda]).map(Some)
}
