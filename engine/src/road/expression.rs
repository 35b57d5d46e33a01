//! One expression, compiled once: a parameter is a column behind the input's columns until it is
//! bound, a function over the session waits for its statement.

use std::sync::Arc;

use clientele_udfs::cast;
use clientele_udfs::functions::udf::Overloads;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ScalarUDF, Volatility};
use datafusion::physical_expr::expressions::{Column as PhysicalColumn, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, create_physical_expr};
use datafusion::scalar::ScalarValue;

use super::NOTHING;
use crate::error::Result;
use crate::functions;
use crate::planning::context::QueryContext;

/// Qualifier of the columns that stand for parameters.
const PARAMETERS: &str = "$";

/// A parameter's exact type.
pub(super) struct Parameter {
    data_type: DataType,
    metadata: FieldMetadata,
}

impl Parameter {
    pub(super) fn new(pg_type: PgType) -> Self {
        let field = pg_type.field("", true);
        let metadata = FieldMetadata::new_from_field(&field);
        Self { data_type: field.data_type().clone(), metadata }
    }

    pub(super) fn takes(&self, value: &ScalarValue) -> bool {
        value.data_type() == self.data_type
    }
}

/// What an execution gives to its expressions.
pub(super) struct Values<'a> {
    pub(super) parameters: &'a [Parameter],
    pub(super) values: &'a [ScalarValue],
    pub(super) context: &'a Arc<QueryContext>,
}

/// A compiled expression.
pub(super) struct Expression {
    root: Arc<dyn PhysicalExpr>,
    pub(super) data_type: DataType,
    /// How many columns its input has; those behind are parameters.
    width: usize,
    /// It has parameters or functions over the session in it.
    open: bool,
    /// It may be evaluated where the statement is.
    pub(super) light: bool,
    /// It has another value each time.
    pub(super) volatile: bool,
    /// It is a parameter and nothing else.
    parameter: Option<usize>,
    /// Its one value, where no execution can give it another.
    constant: Option<ArrayRef>,
}

impl Expression {
    /// Compiles an expression over columns; `None` when that takes DataFusion's planner.
    pub(super) fn compile(
        expr: Expr,
        input: &DFSchema,
        (parameters, context): (&[PgType], &Arc<QueryContext>),
    ) -> Option<Self> {
        let mut traits = Traits { open: false, light: true, volatile: false, known: true };
        let expr = expr.transform_up(|expr| {
            traits.add(&expr);
            Ok(match expr {
                Expr::Placeholder(one) => {
                    let name = one.id.trim_start_matches('$');
                    let column = Column::new(Some(TableReference::bare(PARAMETERS)), name);
                    Transformed::yes(Expr::Column(column))
                }
                other => Transformed::no(other),
            })
        });
        let expr = expr.ok().filter(|_| traits.known)?.data;
        let schema = with_parameters(input, parameters)?;
        let mut props = ExecutionProps::new();
        props.config_options = Some(Arc::clone(context.state.config_options()));
        let planning = PhysicalPlanningContext::default();
        let root = create_physical_expr(&expr, &schema, &props, &planning).ok()?;
        let data_type = root.data_type(schema.as_arrow()).ok()?;
        let width = input.fields().len();
        let Traits { open, light, volatile, .. } = traits;
        let fixed = light && !open && !volatile && is_fixed(&root, schema.as_arrow());
        // What fails is to fail when it is run.
        let constant = fixed.then(|| root.evaluate(&NOTHING).ok()?.into_array(1).ok()).flatten();
        let column = root.downcast_ref::<PhysicalColumn>();
        let parameter = column.and_then(|column| column.index().checked_sub(width));
        Some(Self { root, data_type, width, open, light, volatile, parameter, constant })
    }

    /// The column of the input that it is, when it is one and nothing else.
    pub(super) fn column(&self) -> Option<usize> {
        let column = self.root.downcast_ref::<PhysicalColumn>();
        column.map(PhysicalColumn::index).filter(|at| *at < self.width)
    }

    /// The columns of the input that it looks at.
    pub(super) fn columns(&self) -> Vec<usize> {
        let columns = collect_columns(&self.root).into_iter().map(|column| column.index());
        columns.filter(|at| *at < self.width).collect()
    }

    /// Its one value, where every execution has the same.
    pub(super) fn constant(&self) -> Option<&ArrayRef> {
        self.constant.as_ref()
    }

    /// Its one value for an execution; its input has no columns.
    ///
    /// # Errors
    /// What it refuses.
    pub(super) fn value(&self, values: &Values<'_>) -> Result<ScalarValue> {
        let value = self.evaluate(&NOTHING, values)?;
        Ok(ScalarValue::try_from_array(&value, 0)?)
    }

    /// One value for each row.
    pub(super) fn evaluate(&self, rows: &RecordBatch, values: &Values<'_>) -> Result<ArrayRef> {
        if let Some(value) = self.parameter.and_then(|at| values.values.get(at)) {
            return Ok(value.to_array_of_size(rows.num_rows())?);
        }
        if let Some(constant) = self.constant.as_ref().filter(|_| rows.num_rows() == 1) {
            return Ok(Arc::clone(constant));
        }
        let result = match self.open {
            true => self.bound(rows.schema_ref(), values)?.evaluate(rows),
            false => self.root.evaluate(rows),
        };
        Ok(result?.into_array(rows.num_rows())?)
    }

    fn bound(&self, rows: &Schema, values: &Values<'_>) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let bind = |node: Arc<dyn PhysicalExpr>| {
            if let Some(call) = node.downcast_ref::<ScalarFunctionExpr>() {
                let Some(function) = functions::rebind(call.fun(), Some(values.context)) else {
                    return Ok(Transformed::no(node));
                };
                return called(call, function, rows, values.context).map(Transformed::yes);
            }
            let column = node.downcast_ref::<PhysicalColumn>();
            let Some(at) = column.and_then(|column| column.index().checked_sub(self.width)) else {
                return Ok(Transformed::no(node));
            };
            let (Some(value), Some(parameter)) = (values.values.get(at), values.parameters.get(at))
            else {
                return Ok(Transformed::no(node));
            };
            let metadata = Some(parameter.metadata.clone());
            let literal = Literal::new_with_metadata(value.clone(), metadata);
            Ok(Transformed::yes(Arc::new(literal) as Arc<dyn PhysicalExpr>))
        };
        Arc::clone(&self.root).transform_up(bind).data()
    }
}

/// Whether there are no functions in it but immutable ones and casts between numbers, which look
/// at no setting.
fn is_fixed(root: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let is_number = |one: &DataType| one.is_numeric() || *one == DataType::LargeBinary;
    let is_allowed = |call: &ScalarFunctionExpr| {
        let numbers = is_number(call.return_type())
            && call.args().iter().all(|one| one.data_type(schema).is_ok_and(|one| is_number(&one)));
        let immutable = call.fun().signature().volatility == Volatility::Immutable;
        immutable || (numbers && cast::is_cast(call.fun()))
    };
    let other = root.exists(|node| {
        Ok(node.downcast_ref::<ScalarFunctionExpr>().is_some_and(|call| !is_allowed(call)))
    });
    matches!(other, Ok(false))
}

fn called(
    call: &ScalarFunctionExpr,
    function: Arc<ScalarUDF>,
    rows: &Schema,
    context: &QueryContext,
) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
    let options = Arc::clone(context.state.config_options());
    let (field, arguments) = (call.return_field(rows)?, call.args().to_vec());
    Ok(Arc::new(ScalarFunctionExpr::new(call.name(), function, arguments, field, options)))
}

fn with_parameters(input: &DFSchema, parameters: &[PgType]) -> Option<DFSchema> {
    if parameters.is_empty() {
        return Some(input.clone());
    }
    let fields = parameters.iter().zip(1..).map(|(pg_type, number): (_, usize)| {
        let qualifier = Some(TableReference::bare(PARAMETERS));
        (qualifier, pg_type.field(&number.to_string(), true))
    });
    let behind = DFSchema::new_with_metadata(fields.collect(), Default::default()).ok()?;
    input.join(&behind).ok()
}

/// What is found out on a walk over an expression.
struct Traits {
    open: bool,
    light: bool,
    volatile: bool,
    /// Every function is one that needs no simplification and no statement of DataFusion's.
    known: bool,
}

impl Traits {
    fn add(&mut self, expr: &Expr) {
        let Expr::ScalarFunction(call) = expr else {
            self.open |= matches!(expr, Expr::Placeholder(_));
            return;
        };
        let volatility = call.func.signature().volatility;
        self.volatile |= volatility == Volatility::Volatile;
        if functions::rebind(&call.func, None).is_some() {
            self.open = true;
            // `now()` is a field of the statement; `nextval()` may write to the log.
            self.light &= call.args.is_empty() && volatility != Volatility::Volatile;
            return;
        }
        let overloads = call.func.inner().downcast_ref::<Overloads>();
        self.known &= overloads.is_some() || cast::is_cast(&call.func);
        self.light &= overloads.is_none_or(Overloads::is_operator);
    }
}

/// Whether an expression looks at columns.
pub(super) fn has_columns(expr: &Expr) -> bool {
    let mut found = false;
    let _ = expr.apply(|node| {
        found |= matches!(node, Expr::Column(_));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}
