//! `CALL identity.match(…)`: links records of one person, and lists the doubtful pairs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::Utc;
use clientele_catalog::domains::Subject;
use clientele_catalog::features::oids;
use clientele_catalog::storage::{RowAddress, Said};
use clientele_identity::graph::LinkKind;
use clientele_identity::matching::{
    Clustering, Index, Model, Pair, Prepared, cluster, explain, predict,
};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;
use parking_lot::Mutex;
use serde_json::json;

use super::models::{self, Kept};
use super::procedures::MATCHED;
use super::{columns, decide, records};
use crate::builtin;
use crate::error::{Error, Result};
use crate::functions::procedures::{result, superuser};
use crate::planning::context::QueryContext;
use crate::session::Session;

/// Threads that compare.
const THREADS: usize = 2;

/// What the last run of each database left: new records are matched with what it has.
#[derive(Default)]
pub(crate) struct Matchers(Mutex<HashMap<u32, Matcher>>);

impl Matchers {
    /// Forgets what is remembered of a database: somebody was erased from it.
    pub(crate) fn forget(&self, database: u32) {
        self.0.lock().remove(&database);
    }
}

struct Matcher {
    model: i64,
    index: Index,
    /// The node of each record in the index.
    nodes: Vec<u32>,
}

/// Pairs by their nodes.
#[derive(Debug, Default)]
struct Found {
    links: Vec<Decided>,
    review: Vec<Decided>,
    records: usize,
    compared: u64,
    /// All records were matched, not only new ones.
    full: bool,
}

#[derive(Debug)]
struct Decided {
    ends: (u32, u32),
    pair: Pair,
    comparison: String,
}

/// The thresholds.
#[derive(Debug, Clone, Copy)]
struct Thresholds {
    link: f64,
    review: f64,
}

/// Matches all records, or those that the last run did not have.
pub(super) async fn run(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    superuser(session, "identity.match")?;
    let thresholds = thresholds(&arguments)?;
    let wanted = match arguments.get(2) {
        Some(ScalarValue::Int64(id)) => *id,
        _ => None,
    };
    let full = matches!(arguments.get(3), Some(ScalarValue::Boolean(Some(true))));
    let context = session.context().await?;
    let kept = models::find(&context, wanted)?;
    let known = context.engine.matchers.0.lock().remove(&context.database.oid);
    let known = known.filter(|one| one.model == kept.id && !full);
    let seen = Arc::clone(&context);
    let (found, matcher) = session
        .compute(async move {
            match known {
                Some(matcher) => new_ones(&seen, &kept, matcher, thresholds),
                None => all(&seen, &kept, thresholds),
            }
        })
        .await?;
    let model = matcher.model;
    context.engine.matchers.0.lock().insert(context.database.oid, matcher);
    write(session, &context, model, &found).await?;
    let number = |value: usize| -> ArrayRef {
        Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)]))
    };
    let compared = usize::try_from(found.compared).unwrap_or(usize::MAX);
    let counts = [found.records, compared, found.links.len(), found.review.len()];
    result(MATCHED, counts.map(number).to_vec()).map(Some)
}

fn thresholds(arguments: &[ScalarValue]) -> Result<Thresholds> {
    let probability = |at: usize, name: &str| match arguments.get(at) {
        Some(ScalarValue::Float64(Some(value))) if *value > 0.0 && *value < 1.0 => Ok(*value),
        _ => Err(Error::new("22023", format!("{name} must be a probability between 0 and 1"))),
    };
    let (link, review) = (probability(0, "link")?, probability(1, "review")?);
    Ok(Thresholds { link, review: review.min(link) })
}

fn all(context: &QueryContext, kept: &Kept, thresholds: Thresholds) -> Result<(Found, Matcher)> {
    let plan = columns::plan(context, &kept.asked)?;
    let read = records::read(context, &plan, &HashSet::new())?;
    let prepared = Prepared::new(&read.records);
    if !kept.model.fits(&prepared) {
        return Err(Error::new("55000", "the model has other comparisons than the tables now")
            .with_hint("CALL identity.train() trains another."));
    }
    let scored = predict(&prepared, &kept.model, thresholds.review, THREADS);
    let place: HashMap<u32, u32> = read.nodes.iter().copied().zip(0..).collect();
    let apart = decide::apart(context)?;
    let apart = apart.iter().filter_map(|(a, b)| {
        let (a, b) = (*place.get(a)?, *place.get(b)?);
        Some((a.min(b), a.max(b)))
    });
    let how = Clustering {
        link: thresholds.link,
        review: thresholds.review,
        apart: apart.collect(),
        ..Clustering::default()
    };
    let clusters = cluster(&prepared, &kept.model, &scored.pairs, &how);
    let describe =
        Describe { context, prepared: &prepared, model: &kept.model, nodes: &read.nodes };
    let found = Found {
        links: describe.pairs(&clusters.links),
        review: describe.pairs(&clusters.review),
        records: read.nodes.len(),
        compared: scored.candidates,
        full: true,
    };
    let index = Index::new(prepared, kept.model.clone());
    Ok((found, Matcher { model: kept.id, index, nodes: read.nodes }))
}

fn new_ones(
    context: &QueryContext,
    kept: &Kept,
    mut matcher: Matcher,
    thresholds: Thresholds,
) -> Result<(Found, Matcher)> {
    let plan = columns::plan(context, &kept.asked)?;
    let known: HashSet<u32> = matcher.nodes.iter().copied().collect();
    let read = records::read(context, &plan, &known)?;
    let records = read.nodes.len();
    let pairs = match records {
        0 => Vec::new(),
        _ => matcher.index.match_new(&read.records, thresholds.review),
    };
    matcher.nodes.extend(read.nodes);
    let (links, review): (Vec<Pair>, Vec<Pair>) =
        pairs.iter().partition(|pair| pair.probability() >= thresholds.link);
    let (prepared, model) = (matcher.index.prepared(), matcher.index.model());
    let describe = Describe { context, prepared, model, nodes: &matcher.nodes };
    let found = Found {
        links: describe.pairs(&links),
        review: describe.pairs(&review),
        records,
        compared: pairs.len() as u64,
        full: false,
    };
    Ok((found, matcher))
}

/// Says of pairs what is kept of them.
struct Describe<'a> {
    context: &'a QueryContext,
    prepared: &'a Prepared,
    model: &'a Model,
    nodes: &'a [u32],
}

impl Describe<'_> {
    /// Pairs of what is not one customer already.
    fn pairs(&self, pairs: &[Pair]) -> Vec<Decided> {
        let customers = self.context.snapshot.customers.of(Subject::Person);
        let node = |record: u32| {
            usize::try_from(record).ok().and_then(|at| self.nodes.get(at)).copied().unwrap_or(0)
        };
        let ends = pairs.iter().map(|pair| ((node(pair.a), node(pair.b)), pair));
        let new = ends.filter(|((a, b), _)| customers.customer(*a) != customers.customer(*b));
        let decided = |((a, b), pair): ((u32, u32), &Pair)| Decided {
            ends: (a, b),
            pair: *pair,
            comparison: self.comparison(pair),
        };
        new.map(decided).collect()
    }

    fn comparison(&self, pair: &Pair) -> String {
        let reasons = explain(self.prepared, self.model, pair.a, pair.b);
        let one = |reason: &clientele_identity::matching::Reason| {
            json!({
                "comparison": reason.comparison, "level": reason.level, "label": reason.label,
                "weight": reason.weight, "rarity": reason.rarity,
            })
        };
        serde_json::Value::Array(reasons.iter().map(one).collect()).to_string()
    }
}

/// Writes links and candidates. A run over all records takes the place of the candidates that
/// nobody has decided about.
async fn write(
    session: &mut Session,
    context: &Arc<QueryContext>,
    model: i64,
    found: &Found,
) -> Result<()> {
    let said: Vec<Said> = found
        .links
        .iter()
        .map(|one| Said {
            ends: one.ends,
            kind: Some(LinkKind::Matched { weight: one.pair.weight }),
            probability: Some(one.pair.probability()),
            comparison: Some(one.comparison.clone()),
        })
        .collect();
    let queue = decide::queue(context)?;
    let known: HashSet<(u32, u32)> =
        queue.iter().filter(|one| !found.full || one.decided).map(|one| one.ends).collect();
    let fresh: Vec<&Decided> =
        found.review.iter().filter(|one| !known.contains(&one.ends)).collect();
    let first = queue.iter().map(|one| one.id).max().unwrap_or(0) + 1;
    let stale: Vec<RowAddress> =
        queue.iter().filter(|one| found.full && !one.decided).map(|one| one.address).collect();
    let work = session.work().await?;
    let mut transaction = work.lock().await;
    transaction.link(Subject::Person, &said, (&context.role.name, None))?;
    transaction.delete(oids::CANDIDATE_PAIRS, &stale)?;
    if !fresh.is_empty() {
        transaction.insert(oids::CANDIDATE_PAIRS, candidates(&fresh, first, model)?)?;
    }
    Ok(())
}

fn candidates(pairs: &[&Decided], first: i64, model: i64) -> Result<RecordBatch> {
    let nodes = |of: fn(&Decided) -> u32| -> ArrayRef {
        Arc::new(pairs.iter().map(|one| Some(i64::from(of(one)))).collect::<Int64Array>())
    };
    let weights = pairs.iter().map(|one| Some(f64::from(one.pair.weight)));
    let probabilities = pairs.iter().map(|one| Some(one.pair.probability()));
    let now = TimestampMicrosecondArray::from_value(Utc::now().timestamp_micros(), pairs.len());
    let columns = vec![
        Arc::new((first..).take(pairs.len()).map(Some).collect::<Int64Array>()) as ArrayRef,
        nodes(|one| one.ends.0),
        nodes(|one| one.ends.1),
        Arc::new(weights.collect::<Float64Array>()),
        Arc::new(probabilities.collect::<Float64Array>()),
        Arc::new(StringViewArray::from_iter_values(pairs.iter().map(|one| &one.comparison))),
        Arc::new(Int64Array::from(vec![model; pairs.len()])),
        Arc::new(now.with_timezone("UTC")),
    ];
    builtin::batch(oids::CANDIDATE_PAIRS, &columns)
}

/// A whole number of a row.
pub(super) fn integer(columns: &[ArrayRef], at: usize, row: usize) -> Option<i64> {
    let array = columns.get(at)?.as_primitive_opt::<Int64Type>()?;
    array.is_valid(row).then(|| array.value(row))
}
