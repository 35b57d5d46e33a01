//! The rows that an index finds for a filter, or the first of an order.

use std::collections::BTreeSet;
use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::storage::{Answer, Condition, IndexOrder, Question, Test, stored_relation};
use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableScan};
use datafusion::scalar::ScalarValue;

use super::batch;
use super::compile::Compiler;
use super::expression::{Expression, Values};
use super::key::{column_of, key_value, of_type};
use crate::error::Result;

/// A scan, what its rows are to fulfil, and their order.
pub(super) struct Indexed {
    relation: Arc<Relation>,
    schema: SchemaRef,
    /// The columns that a road looks at: their places, and their fields.
    columns: Arc<[usize]>,
    narrow: SchemaRef,
    tests: Vec<Open>,
    /// Only the first rows of this order are wanted.
    pub(super) order: Option<IndexOrder>,
}

/// A test whose values come with the execution.
struct Open {
    column: i16,
    data_type: DataType,
    kind: Kind,
    values: Vec<Expression>,
}

#[derive(Clone, Copy)]
enum Kind {
    OneOf,
    From,
    Above,
    UpTo,
    Below,
    Like,
    Present,
    Null,
}

impl Indexed {
    /// All rows of a table.
    pub(super) fn compile(scan: &TableScan) -> Option<Self> {
        let provider = source_as_provider(&scan.source).ok()?;
        let (relation, _) = stored_relation(provider.as_ref())?;
        if relation.indexes.is_empty() && relation.unique_keys().next().is_none() {
            return None;
        }
        let relation = Arc::clone(relation);
        let schema = provider.schema();
        let columns = (0..schema.fields().len()).collect();
        let narrow = Arc::clone(&schema);
        Some(Self { relation, schema, columns, narrow, tests: Vec::new(), order: None })
    }

    /// Leaves out columns that nothing looks at; they are NULLs from now on.
    pub(super) fn look_at(&mut self, columns: BTreeSet<usize>) {
        let columns: Vec<usize> = columns.into_iter().collect();
        if let Ok(narrow) = self.schema.project(&columns) {
            (self.narrow, self.columns) = (Arc::new(narrow), columns.into());
            let open = |field: &FieldRef| field.as_ref().clone().with_nullable(true);
            self.schema =
                Arc::new(Schema::new(self.schema.fields().iter().map(open).collect::<Vec<_>>()));
        }
    }

    /// Rows in the columns of the table.
    fn widened(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let count = rows.num_rows();
        let null = |field: &FieldRef| new_null_array(field.data_type(), count);
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.schema.fields().len()];
        for (place, column) in self.columns.iter().zip(rows.columns()) {
            if let Some(slot) = columns.get_mut(*place) {
                *slot = Some(Arc::clone(column));
            }
        }
        let columns = columns.into_iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| column.unwrap_or_else(|| null(field)));
        batch(&self.schema, columns.collect(), count)
    }

    /// What nothing fulfils.
    pub(super) fn no_rows(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(&self.schema))
    }

    /// Adds what a filter directly above the scan says of single columns.
    pub(super) fn narrow(&mut self, predicate: &Expr, schema: &DFSchema, compiler: &Compiler<'_>) {
        for part in split_conjunction(predicate) {
            for (column, kind, values) in tests(part) {
                self.tests.extend(self.open((column, kind, values), schema, compiler));
            }
        }
    }

    fn open(
        &self,
        (column, kind, values): (&Expr, Kind, Vec<&Expr>),
        schema: &DFSchema,
        compiler: &Compiler<'_>,
    ) -> Option<Open> {
        let place = schema.maybe_index_of_column(column_of(column)?)?;
        let column = self.relation.live_columns().nth(place)?;
        let data_type = column.pg_type.arrow();
        let values = values.into_iter().map(|value| key_value(value, &data_type, compiler));
        let values = values.collect::<Option<_>>()?;
        Some(Open { column: column.number, data_type, kind, values })
    }

    /// The order of columns of the table, by place; `None`: no index can have it.
    pub(super) fn ordered_by(&self, columns: &[(usize, bool, bool)]) -> Option<IndexOrder> {
        let (_, ascending, _) = columns.first()?;
        // As indexes have it, and as PostgreSQL has it unasked: NULLs are greater than anything.
        let number = |(at, one, nulls_first): &(usize, bool, bool)| {
            let column = self.relation.live_columns().nth(*at)?;
            (one == ascending && nulls_first != one).then_some(column.number)
        };
        let numbers: Vec<i16> = columns.iter().map_while(number).collect();
        let further = numbers.len() < columns.len();
        let some = !numbers.is_empty();
        some.then_some(IndexOrder { columns: numbers, descending: !ascending, further })
    }

    /// Whether an index begins with a column that is tested, or that the order begins with.
    pub(super) fn has_index(&self) -> bool {
        let keys = self.relation.unique_keys().map(|(_, columns)| columns);
        let plain = self.relation.indexes.iter().filter(|one| one.sorts());
        let mut leading =
            keys.chain(plain.map(|one| one.columns.as_slice())).filter_map(|one| one.first());
        let ordered = self.order.as_ref().and_then(|order| order.columns.first());
        leading.any(|one| Some(one) == ordered || self.tests.iter().any(|open| open.column == *one))
    }

    pub(super) fn is_light(&self) -> bool {
        self.tests.iter().flat_map(|open| &open.values).all(|value| value.light)
    }

    /// The question of an execution; `None`: no row fulfils it.
    ///
    /// # Errors
    /// What an expression refuses.
    pub(super) fn question(&self, values: &Values<'_>) -> Result<Option<Question>> {
        let mut conditions = Vec::with_capacity(self.tests.len());
        for open in &self.tests {
            let given = open.values.iter().map(|value| value.value(values));
            let given: Vec<ScalarValue> = given.collect::<Result<_>>()?;
            // NULL compares with nothing.
            if !given.is_empty() && given.iter().all(ScalarValue::is_null) {
                return Ok(None);
            }
            let fitting = given.into_iter().map(|value| of_type(value, &open.data_type));
            conditions.extend(open.conditions(fitting.collect()));
        }
        let (columns, schema) = (Arc::clone(&self.columns), Arc::clone(&self.narrow));
        Ok(Some(Question { conditions, order: self.order.clone(), columns, schema }))
    }

    /// # Errors
    /// A file cannot be read.
    pub(super) async fn find(
        &self,
        values: &Values<'_>,
        question: &Arc<Question>,
        count: usize,
    ) -> Result<Answer> {
        let (store, snapshot) = (&values.context.store, &values.context.snapshot);
        Ok(match store.index_rows(snapshot, &self.relation, question, count).await? {
            Answer::All(rows) => Answer::All(self.widened(&rows)?),
            Answer::First(rows) => Answer::First(self.widened(&rows)?),
            Answer::Declined => Answer::Declined,
        })
    }
}

impl Open {
    /// `None` in the place of a value: no value of the column's type.
    fn conditions(&self, values: Vec<Option<ScalarValue>>) -> Vec<Condition> {
        let tests = match self.kind {
            Kind::Like => {
                let pattern = values.iter().flatten().next();
                let pattern = pattern.and_then(|one| one.try_as_str()).flatten();
                pattern.map(Test::like).unwrap_or_default()
            }
            _ => self.test(values).into_iter().collect(),
        };
        let column = self.column;
        tests.into_iter().map(|test| Condition { column, test }).collect()
    }

    fn test(&self, values: Vec<Option<ScalarValue>>) -> Option<Test> {
        let mut values = values.into_iter();
        Some(match self.kind {
            Kind::OneOf => Test::OneOf(values.flatten().collect()),
            Kind::From => Test::From(values.next()??),
            Kind::Above => Test::Above(values.next()??),
            Kind::UpTo => Test::UpTo(values.next()??),
            Kind::Below => Test::Below(values.next()??),
            Kind::Present => Test::Present,
            Kind::Null => Test::Null,
            Kind::Like => return None,
        })
    }
}

/// What a condition says of a column: the column, and values without columns.
fn tests(condition: &Expr) -> Vec<(&Expr, Kind, Vec<&Expr>)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let as_it_is = kind(*op).map(|kind| (left.as_ref(), kind, vec![right.as_ref()]));
            let turned = op.swap().and_then(kind);
            let turned = turned.map(|kind| (right.as_ref(), kind, vec![left.as_ref()]));
            let both = as_it_is.into_iter().chain(turned);
            both.filter(|(column, ..)| column_of(column).is_some()).take(1).collect()
        }
        Expr::InList(list) if !list.negated => {
            vec![(&list.expr, Kind::OneOf, list.list.iter().collect())]
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            vec![(expr, Kind::From, vec![low]), (expr, Kind::UpTo, vec![high])]
        }
        Expr::Like(like)
            if !like.negated && !like.case_insensitive && like.escape_char.is_none() =>
        {
            vec![(&like.expr, Kind::Like, vec![&like.pattern])]
        }
        Expr::IsNull(expr) => vec![(expr, Kind::Null, Vec::new())],
        Expr::IsNotNull(expr) => vec![(expr, Kind::Present, Vec::new())],
        _ => Vec::new(),
    }
}

fn kind(op: Operator) -> Option<Kind> {
    Some(match op {
        Operator::Eq => Kind::OneOf,
        Operator::GtEq => Kind::From,
        Operator::Gt => Kind::Above,
        Operator::LtEq => Kind::UpTo,
        Operator::Lt => Kind::Below,
        _ => return None,
    })
}
