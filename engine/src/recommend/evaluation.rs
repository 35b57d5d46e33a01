//! `recommend.evaluate`: a method on the last basket of each customer, beside what is popular and
//! what the customer buys anyway.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clientele_recommend::choose::ALL;
use clientele_recommend::evaluate::{Evaluation, evaluate};
use clientele_recommend::{Hidden, Histories, Method, Model};
use datafusion::arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use futures::{StreamExt, stream};

use super::definition::invalid;
use super::kept::{self, Kept, stoppable};
use super::read::Gathered;
use super::rules;
use crate::builtin;
use crate::error::Result;
use crate::functions::calls::{Batches, Call, Part, column};

/// A row of the result.
struct Row {
    segment: Option<String>,
    method: &'static str,
    evaluation: Evaluation,
}

/// The rows.
pub(super) async fn rows(call: Arc<Call>, part: Part) -> Result<Batches> {
    let kept = Kept::of_call(&call).await?;
    let (request, _) = rules::request(&call, &part, &kept).await?;
    let hidden = call.text("split").map(split).transpose()?.unwrap_or_default();
    let gathered = kept::gather(&call.context, call.recommender()?).await?;
    let segments = segments(&call, &part, &gathered).await?;
    let shared = Arc::clone(&kept);
    let made = stoppable(move |stop| {
        let mut settings = shared.definition.settings.clone();
        settings.stop = stop;
        let Gathered { gatherers, items, .. } = gathered;
        let hidden = (ALL, hidden);
        let (before, baskets) = Histories::split(&gatherers, items.len(), &settings, hidden)?;
        drop(gatherers);
        let mut methods = vec![shared.model.method, Method::Popularity, Method::Personal];
        methods.dedup();
        let mut rows = Vec::new();
        let mut histories = before;
        for method in methods {
            let (model, _) = Model::fit(histories, method, &settings)?;
            let evaluation = evaluate(&model, &request, &baskets)?;
            rows.extend(by_segment(method.name(), evaluation, segments.as_ref()));
            histories = model.histories;
        }
        Ok(rows)
    });
    let batch = batch(made.await?, &part);
    Ok(stream::iter([batch]).boxed())
}

fn split(name: &str) -> Result<Hidden> {
    Hidden::named(name)
        .ok_or_else(|| invalid("split", name).with_hint("Valid values are last_basket, one_item."))
}

/// The segment of each customer; `None`: all are one.
async fn segments(
    call: &Call,
    part: &Part,
    gathered: &Gathered,
) -> Result<Option<HashMap<i64, String>>> {
    let Some(batches) = call.query(part, ("by", 2..=2)).await? else { return Ok(None) };
    let (Some(customers), Some(names)) = (column(&batches, 0)?, column(&batches, 1)?) else {
        return Ok(Some(HashMap::new()));
    };
    let names = cast(&names, &DataType::Utf8View)?;
    let customers = gathered.customers.find(&customers)?.into_iter();
    let pairs = customers.zip(names.as_string_view());
    Ok(Some(pairs.filter_map(|(one, name)| Some((one?, name?.to_owned()))).collect()))
}

fn by_segment(
    method: &'static str,
    evaluation: Evaluation,
    segments: Option<&HashMap<i64, String>>,
) -> Vec<Row> {
    let Some(segments) = segments else { return vec![Row { segment: None, method, evaluation }] };
    let mut parts = BTreeMap::<&str, Evaluation>::new();
    for outcome in &evaluation.outcomes {
        if let Some(segment) = segments.get(&outcome.customer) {
            parts.entry(segment).or_default().outcomes.push(*outcome);
        }
    }
    let row = |(segment, part): (&str, Evaluation)| Row {
        segment: Some(segment.to_owned()),
        method,
        evaluation: Evaluation { outcomes: part.outcomes, ..evaluation },
    };
    parts.into_iter().map(row).collect()
}

fn batch(rows: Vec<Row>, part: &Part) -> Result<RecordBatch> {
    let column = |of: &dyn Fn(&Row) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let count = |row: &Row| row.evaluation.outcomes.len() as i64;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.segment.as_deref()).collect::<StringViewArray>()),
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.method))),
        Arc::new(rows.iter().map(count).collect::<Int64Array>()),
        column(&|row| row.evaluation.means().0),
        column(&|row| row.evaluation.means().1),
        column(&|row| row.evaluation.means().2),
        column(&|row| row.evaluation.coverage),
        column(&|row| row.evaluation.novelty),
    ];
    builtin::fitted(&part.schema, &columns)
}
