//! Table functions that are called once for each row, because their arguments are columns of other
//! relations, parameters of the statement, or queries.
//!
//! ```sql
//! SELECT v.customer_id, w.* FROM segments.vip AS v, segments.why('vip', v.customer_id) AS w;
//! ```
//!
//! Such a call is a list of rows, which the plan unnests ([`crate::planning::unnested`]). What makes
//! the list is a function of the arguments: each set of them is a statement of its own, planned when
//! they are known, with the rights of who asks. Of a function that answers for many customers at once
//! and says which rows are whose, a statement is asked for all customers of a batch.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clientele_udfs::output;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{
    Array, ArrayRef, ListArray, RecordBatch, StructArray, new_empty_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, concat, partition};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;
use sqlparser::ast;

use super::{calls, declared, inlined};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::collect_while_planning;
use crate::{planning, sql};

/// Name of the list among an unnested call's columns.
const ROWS: &str = "rows";

/// A parameter of such a function.
pub(crate) struct Parameter {
    /// Its name.
    name: &'static str,
    /// Its type; `None`: any.
    pub(crate) pg_type: Option<PgType>,
    /// Whether it takes a query: an array of its values does here.
    pub(crate) takes_query: bool,
}

/// A function, before its arguments are known.
pub(crate) struct Callee {
    parameters: Vec<Parameter>,
    variadic: bool,
    fields: Vec<FieldRef>,
    /// The parameter whose values its rows begin with.
    whose: Option<&'static str>,
}

/// Customers that a statement is asked for at most: of more, what they bought last is not looked at.
const CUSTOMERS_AT_ONCE: usize = 1024;

/// The function of that name; `model` is its recommender, where that is known, `given` the names of
/// arguments that have one.
///
/// # Errors
/// 42P01 for no such recommender; 0A000 for a function whose columns are those of a query.
pub(crate) fn find(
    name: &str,
    context: &Arc<QueryContext>,
    (model, given): (Option<ScalarValue>, &[&str]),
) -> Result<Option<Callee>> {
    let typed = |one: &super::procedures::Parameter| Parameter {
        name: one.name,
        pg_type: Some(one.pg_type),
        takes_query: false,
    };
    let fields = |columns: &[(&str, PgType)]| {
        columns.iter().map(|(name, pg_type)| pg_type.field(name, true)).collect()
    };
    if let Some(one) = declared::all().find(|one| one.name == name) {
        let parameters = one.parameters.iter().map(typed).collect();
        let (variadic, fields) = (one.variadic, fields(one.columns));
        return Ok(Some(Callee { parameters, variadic, fields, whose: None }));
    }
    if let Some(one) = inlined::all().find(|one| one.name == name) {
        let parameters = one.parameters.iter().map(typed).collect();
        let fields = fields(one.columns);
        return Ok(Some(Callee { parameters, variadic: false, fields, whose: None }));
    }
    let Some(one) = calls::find(name) else { return Ok(None) };
    let parameters = one.parameters.iter().map(|one| Parameter {
        name: one.name,
        pg_type: match one.given {
            calls::Given::Value(pg_type) => Some(pg_type),
            calls::Given::Key | calls::Given::Query => None,
        },
        takes_query: one.given == calls::Given::Query,
    });
    let (parameters, whose) = (parameters.collect(), one.whose());
    let fields = one.shape(context, (model, given))?;
    Ok(Some(Callee { parameters, variadic: false, fields, whose }))
}

impl Callee {
    /// The parameter that an argument is for.
    pub(crate) fn parameter(&self, place: usize, label: Option<&str>) -> Option<&Parameter> {
        match label {
            Some(label) => self.parameters.iter().find(|one| one.name == label),
            None if self.variadic => self.parameters.get(place).or(self.parameters.last()),
            None => self.parameters.get(place),
        }
    }

    /// The function of a statement: arguments in, a list of rows out.
    pub(crate) fn bound(
        self,
        name: &str,
        labels: Vec<Option<String>>,
        context: &Arc<QueryContext>,
    ) -> Arc<ScalarUDF> {
        let parameters = labels.iter().enumerate();
        let parameters = parameters.map(|(place, label)| self.parameter(place, label.as_deref()));
        let is_query = |one: &Option<&Parameter>| one.is_some_and(|one| one.takes_query);
        let queries = parameters.clone().map(|one| is_query(&one)).collect();
        let mut names = parameters.map(|one| one.map(|one| one.name));
        let whose = self.whose.and_then(|whose| names.position(|name| name == Some(whose)));
        let call = Call { name: name.to_owned(), queries, labels, whose };
        let signature = match call.labels.len() {
            0 => Signature::nullary(Volatility::Volatile),
            count => Signature::any(count, Volatility::Volatile),
        };
        let fields = Fields::from(self.fields);
        let context = Some(Arc::clone(context));
        Arc::new(ScalarUDF::from(PerRow { call: Arc::new(call), fields, signature, context }))
    }
}

/// The same function of another statement, or of none; `None` for another kind of function.
pub(super) fn rebind(
    function: &ScalarUDF,
    context: Option<&Arc<QueryContext>>,
) -> Option<Arc<ScalarUDF>> {
    let one = function.inner().downcast_ref::<PerRow>()?;
    Some(Arc::new(ScalarUDF::from(PerRow { context: context.map(Arc::clone), ..one.clone() })))
}

/// A call without the values of its arguments.
struct Call {
    name: String,
    /// Names of arguments.
    labels: Vec<Option<String>>,
    /// Which arguments stand for queries.
    queries: Vec<bool>,
    /// Which argument's values the rows begin with.
    whose: Option<usize>,
}

impl Call {
    /// The rows for some arguments.
    fn rows(
        &self,
        context: &Arc<QueryContext>,
        arguments: &[(ScalarValue, PgType)],
    ) -> Result<Vec<RecordBatch>> {
        if let Some(function) = declared::call(&self.name) {
            let values = arguments.iter().map(|(value, _)| value.clone());
            let arguments = self.labels.iter().cloned().zip(values).collect();
            return Ok(vec![function(context, arguments)?]);
        }
        let mut parameters: Vec<(ScalarValue, PgType)> = Vec::new();
        let mut given = Vec::with_capacity(arguments.len());
        for ((value, pg_type), is_query) in arguments.iter().zip(&self.queries) {
            given.push(match (is_query, value.is_null()) {
                (_, true) => ast::Expr::Value(ast::Value::Null.with_empty_span()),
                (false, false) => literal(value, *pg_type)?,
                (true, false) => {
                    parameters.push((value.clone(), *pg_type));
                    ast::Expr::Subquery(Box::new(elements(parameters.len(), *pg_type)?))
                }
            });
        }
        let query = self.statement(given)?;
        let (values, types): (Vec<_>, Vec<_>) = parameters.into_iter().unzip();
        let declared: Vec<Option<PgType>> = types.into_iter().map(Some).collect();
        let planned = planning::plan_query(context, query, &declared)?;
        let plan = planning::bind(planned.plan, values)?;
        collect_while_planning(context, &plan)
    }

    /// `SELECT * FROM name(…)`.
    fn statement(&self, arguments: Vec<ast::Expr>) -> Result<ast::Query> {
        let mut query = sql::parse::query("SELECT * FROM f() AS f")?;
        let arguments = self.labels.iter().zip(arguments).map(|(label, expr)| {
            let arg = ast::FunctionArgExpr::Expr(expr);
            match label {
                None => ast::FunctionArg::Unnamed(arg),
                Some(label) => ast::FunctionArg::Named {
                    name: ast::Ident::with_quote('"', label),
                    arg,
                    operator: ast::FunctionArgOperator::RightArrow,
                },
            }
        });
        let parts = self.name.split('.').map(|part| ast::Ident::with_quote('"', part));
        if let ast::SetExpr::Select(select) = query.body.as_mut()
            && let Some(from) = select.from.first_mut()
            && let ast::TableFactor::Table { name, args: Some(args), .. } = &mut from.relation
        {
            *name = ast::ObjectName::from(parts.collect::<Vec<_>>());
            args.args = arguments.collect();
        }
        Ok(query)
    }
}

/// A value as SQL has it.
fn literal(value: &ScalarValue, pg_type: PgType) -> Result<ast::Expr> {
    let array = value.to_array()?;
    let text = output::to_text_array(&array, pg_type, &output::Style::default())?;
    let text = ScalarValue::try_from_array(&text, 0)?;
    let text = sql::rewrite::text(text.try_as_str().flatten().unwrap_or_default());
    match sql::parse::expression(&format!("NULL::{}", pg_type.cast_name()))? {
        ast::Expr::Cast { data_type, .. } => Ok(sql::rewrite::cast(text, data_type)),
        _ => Ok(text),
    }
}

/// A parameter as a query: its elements, if it is an array.
fn elements(number: usize, pg_type: PgType) -> Result<ast::Query> {
    sql::parse::query(&match pg_type.arrow() {
        DataType::List(_) => format!("SELECT unnest(${number})"),
        _ => format!("SELECT ${number}"),
    })
}

#[derive(Clone)]
struct PerRow {
    call: Arc<Call>,
    /// The columns of a row.
    fields: Fields,
    signature: Signature,
    /// `None`: it waits for a statement.
    context: Option<Arc<QueryContext>>,
}

impl std::fmt::Debug for PerRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.call.name)
    }
}

impl PartialEq for PerRow {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.call, &other.call)
    }
}

impl Eq for PerRow {}

impl Hash for PerRow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.call.name.hash(state);
    }
}

impl PerRow {
    fn item(&self) -> FieldRef {
        Arc::new(Field::new_list_field(DataType::Struct(self.fields.clone()), true))
    }

    fn rows(&self, arguments: &[(ScalarValue, PgType)]) -> Result<StructArray> {
        let unbound = || Error::internal("a function of no statement was called");
        let context = self.context.as_ref().ok_or_else(unbound)?;
        let batches = self.call.rows(context, arguments)?;
        let columns = self.fields.iter().enumerate().map(|(place, field)| {
            let parts = batches.iter().map(|batch| cast(batch.column(place), field.data_type()));
            let parts = parts.collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
            let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
            match parts.is_empty() {
                true => Ok(new_empty_array(field.data_type())),
                false => concat(&parts),
            }
        });
        let columns = columns.collect::<std::result::Result<_, _>>()?;
        StructArray::try_new(self.fields.clone(), columns, None).map_err(Error::internal)
    }
}

/// Rows by arguments.
type Known = HashMap<Vec<ScalarValue>, Arc<StructArray>>;

impl PerRow {
    /// The rows of all customers of a batch, where all that differs between calls is the customer,
    /// and is found again as it was given.
    fn together(&self, given: &[ColumnarValue], types: &[PgType]) -> Result<Known> {
        let mut known = Known::new();
        let Some(place) = self.call.whose else { return Ok(known) };
        let is_constant = |(at, one): (usize, &ColumnarValue)| {
            at == place || matches!(one, ColumnarValue::Scalar(_))
        };
        let ColumnarValue::Array(column) = &given[place] else { return Ok(known) };
        let data_type = column.data_type();
        let is_plain = calls::keys::is_integer(data_type) || *data_type == DataType::Utf8View;
        if !is_plain || !given.iter().enumerate().all(is_constant) {
            return Ok(known);
        }
        let constants = given.iter().map(|one| match one {
            ColumnarValue::Scalar(value) => value.clone(),
            ColumnarValue::Array(_) => ScalarValue::Null,
        });
        let mut arguments: Vec<_> = constants.zip(types.iter().copied()).collect();
        for customers in distinct(column)?.chunks(CUSTOMERS_AT_ONCE) {
            arguments[place] = list(customers, types[place])?;
            let rows = self.rows(&arguments)?;
            let mut add = |customer: &ScalarValue, rows: StructArray| {
                let values = arguments.iter().map(|(value, _)| value.clone());
                let mut values: Vec<ScalarValue> = values.collect();
                values[place] = customer.clone();
                known.insert(values, Arc::new(rows));
            };
            // Who gets nothing has no rows.
            customers.iter().for_each(|customer| add(customer, rows.slice(0, 0)));
            let owners = cast(rows.column(0), data_type)?;
            for range in partition(std::slice::from_ref(&owners))?.ranges() {
                let customer = ScalarValue::try_from_array(&owners, range.start)?;
                add(&customer, rows.slice(range.start, range.len()));
            }
        }
        Ok(known)
    }
}

/// The values of a column, each once, without NULL.
fn distinct(column: &ArrayRef) -> Result<Vec<ScalarValue>> {
    let mut seen = HashSet::new();
    let values = (0..column.len()).filter(|row| column.is_valid(*row));
    let values = values.map(|row| Ok(ScalarValue::try_from_array(column, row)?));
    let mut values = values.collect::<Result<Vec<_>>>()?;
    values.retain(|value| seen.insert(value.clone()));
    Ok(values)
}

/// Values of a type as an array of SQL.
fn list(values: &[ScalarValue], pg_type: PgType) -> Result<(ScalarValue, PgType)> {
    let pg_type = pg_type.array();
    let values = ScalarValue::iter_to_array(values.iter().cloned())?;
    let DataType::List(item) = pg_type.arrow() else {
        return Err(Error::internal("an array of another type"));
    };
    let values = cast(&values, item.data_type())?;
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let list = ListArray::try_new(item, offsets, values, None).map_err(Error::internal)?;
    Ok((ScalarValue::List(Arc::new(list)), pg_type))
}

impl ScalarUDFImpl for PerRow {
    fn name(&self) -> &str {
        ROWS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::List(self.item()))
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(Field::new(ROWS, DataType::List(self.item()), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let types: Vec<PgType> =
            args.arg_fields.iter().map(|field| PgType::from_field(field)).collect();
        let known = self.together(&args.args, &types);
        let mut known = known.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut lists = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let values = args.args.iter().map(|argument| match argument {
                ColumnarValue::Scalar(value) => Ok(value.clone()),
                ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row),
            });
            let values = values.collect::<DataFusionResult<Vec<_>>>()?;
            let list = match known.get(&values) {
                Some(list) => Arc::clone(list),
                None => {
                    let arguments: Vec<_> =
                        values.iter().cloned().zip(types.iter().copied()).collect();
                    let rows = self.rows(&arguments);
                    let rows = rows.map_err(|error| DataFusionError::External(Box::new(error)))?;
                    let rows = Arc::new(rows);
                    known.insert(values, Arc::clone(&rows));
                    rows
                }
            };
            lists.push(list);
        }
        let offsets =
            OffsetBuffer::from_lengths(lists.iter().map(|list| Array::len(list.as_ref())));
        let parts: Vec<_> = lists.iter().map(|list| list.as_ref() as _).collect();
        let items = match parts.is_empty() {
            true => new_empty_array(self.item().data_type()),
            false => concat(&parts)?,
        };
        let list = ListArray::try_new(self.item(), offsets, items, None)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }
}
