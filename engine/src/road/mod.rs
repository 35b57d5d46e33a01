//! Short roads: plans that at most a handful of rows go through, without DataFusion's optimizer and
//! physical planner.
//!
//! A point lookup or an INSERT of given values takes microseconds; planning it takes a millisecond.
//! [`Road::compile`] looks at an analyzed plan. Where it is a chain of projections and filters over
//! rows of constants, over one row that a unique key names or over those that an index finds, their expressions are compiled once;
//! [`Road::run`] evaluates them for each execution's parameters. They are the expressions that the
//! long road would evaluate: values, errors and types are the same.
//!
//! ```text
//! INSERT … VALUES ($1, now())        constants ─▶ project ─▶ project
//! SELECT … WHERE id = $1 AND …       key ─▶ filter ─▶ project
//! SELECT … WHERE customer_id = $1    recommended ─▶ filter ─▶ project
//! SELECT … ORDER BY at LIMIT 50      index ─▶ project ─▶ sort ─▶ limit
//! SELECT count(*) … WHERE store = $1 index ─▶ filter ─▶ project ─▶ aggregate ─▶ project
//! UPDATE … WHERE id = $1             key (with ctid) ─▶ filter ─▶ project ─▶ project
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`expression`] | one expression, and its binding to parameters and statement |
//! | [`compile`] | plan → road |
//! | [`key`] | which unique key a filter names |
//! | [`indexed`] | what a filter and an order ask of an index |
//! | [`recommended`] | what a recommender has for one customer |
//! | [`steps`] | filter, project, aggregate, sort, limit |
//! | [`aggregation`] | GROUP BY and aggregates |
//! | [`conditions`] | CHECK conditions, compiled once |

mod aggregation;
mod compile;
mod conditions;
mod expression;
mod indexed;
mod key;
mod recommended;
mod steps;

use std::sync::{Arc, LazyLock};

use clientele_catalog::storage::Answer;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
pub(crate) use conditions::Conditions;
use expression::{Expression, Parameter, Values};
use indexed::Indexed;
use key::Key;
use recommended::Recommended;
use steps::{SortKey, Step, Window};

/// Rows of an order that are looked at; who wants more takes the long road.
const FIRST_ROWS_MAX: usize = 8192;
/// How many times more rows are looked at when those before were not enough.
const MORE_ROWS: usize = 8;

/// One row without columns: what constants are evaluated over.
static NOTHING: LazyLock<RecordBatch> = LazyLock::new(|| {
    let schema = Arc::new(Schema::empty());
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema))
});

/// A compiled plan.
pub(crate) struct Road {
    source: Source,
    steps: Vec<Step>,
    parameters: Vec<Parameter>,
    light: bool,
}

/// Where the rows come from.
enum Source {
    /// One row without columns.
    Nothing,
    /// VALUES: rows of expressions.
    Constants(Vec<Vec<Expression>>, SchemaRef),
    /// The row that a unique key names, if it is there.
    Key(Key),
    /// The rows that an index finds.
    Index(Indexed),
    /// What a recommender has for one customer.
    Recommended(Recommended),
    /// Rows that come with the execution: what RETURNING sees.
    Given,
}

impl Road {
    /// Whether it does so little that a thread of its own would cost more.
    pub(crate) fn is_light(&self) -> bool {
        self.light
    }

    /// Whether the values are of the types that it was compiled for.
    pub(crate) fn takes(&self, values: &[ScalarValue]) -> bool {
        values.len() == self.parameters.len()
            && values.iter().zip(&self.parameters).all(|(value, one)| one.takes(value))
    }

    /// The rows; `None` when only a scan can tell. `given` are those of [`Road::over_rows`].
    ///
    /// # Errors
    /// What an expression refuses; what cannot be read.
    pub(crate) async fn run(
        &self,
        context: &Arc<QueryContext>,
        values: &[ScalarValue],
        given: Option<RecordBatch>,
    ) -> Result<Option<Vec<RecordBatch>>> {
        let values = Values { parameters: &self.parameters, values, context };
        let rows = match &self.source {
            Source::Nothing => Some(NOTHING.clone()),
            Source::Constants(rows, schema) => Some(constants(rows, schema, &values)?),
            Source::Given => given,
            Source::Key(key) => match key.find(&values).await? {
                Some(found) => Some(found.unwrap_or_else(|| key.no_row())),
                None => return Ok(None),
            },
            Source::Recommended(one) => Some(one.rows(&values).await?),
            Source::Index(indexed) => return self.by_index(indexed, &values).await,
        };
        match rows {
            Some(rows) => Ok(Some(steps::take(&self.steps, rows, &values).await?.rows())),
            None => Ok(Some(Vec::new())),
        }
    }

    async fn by_index(
        &self,
        indexed: &Indexed,
        values: &Values<'_>,
    ) -> Result<Option<Vec<RecordBatch>>> {
        let Some(question) = indexed.question(values)?.map(Arc::new) else {
            let taken = steps::take(&self.steps, indexed.no_rows(), values).await?;
            return Ok(Some(taken.rows()));
        };
        let Some(mut count) = steps::wanted(&self.steps, values)? else { return Ok(None) };
        while count <= FIRST_ROWS_MAX {
            let (rows, all) = match indexed.find(values, &question, count).await? {
                Answer::Declined => return Ok(None),
                Answer::All(rows) => (rows, true),
                Answer::First(rows) => {
                    let all = rows.num_rows() < count;
                    (rows, all)
                }
            };
            let taken = steps::take(&self.steps, rows, values).await?;
            if all || taken.full {
                return Ok(Some(taken.rows()));
            }
            count *= MORE_ROWS;
        }
        Ok(None)
    }
}

fn constants(
    rows: &[Vec<Expression>],
    schema: &SchemaRef,
    values: &Values<'_>,
) -> Result<RecordBatch> {
    let column = |at: usize| -> Result<ArrayRef> {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let cells =
            cells.map(|cell| cell.evaluate(&NOTHING, values)).collect::<Result<Vec<_>>>()?;
        match cells.as_slice() {
            [one] => Ok(Arc::clone(one)),
            cells => {
                let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
                concat(&cells).map_err(Error::internal)
            }
        }
    };
    let columns = (0..schema.fields().len()).map(column).collect::<Result<Vec<_>>>()?;
    batch(schema, columns, rows.len())
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(Error::internal)
}
