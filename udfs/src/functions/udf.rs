//! Declared functions as DataFusion's: overloads by name, conversion, NULLs, constants.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_null_array};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::arrow::compute::{cast, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
    Signature as UdfSignature, Volatility,
};

use super::argument::{Argument, Call, Row};
use super::function::{Function, Kernel};
use super::signature::{ANY_ARRAY, ANY_ELEMENT, Signature, type_of};
use super::value::{Builder, internal};
use crate::types::{PG_TYPE_KEY, PgType};
use crate::{Result, ValueError};

/// All functions of one name.
#[derive(Debug)]
pub struct Overloads {
    name: &'static str,
    functions: Vec<Function>,
    signature: UdfSignature,
}

impl PartialEq for Overloads {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Overloads {}

impl Hash for Overloads {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Overloads {
    /// Puts the functions of one name together. The least stable of them stands for all.
    pub fn new(name: &'static str, functions: Vec<Function>) -> Self {
        let rank = |volatility: &Volatility| match volatility {
            Volatility::Immutable => 0,
            Volatility::Stable => 1,
            Volatility::Volatile => 2,
        };
        let volatility = functions
            .iter()
            .map(|function| function.volatility)
            .max_by_key(rank)
            .unwrap_or(Volatility::Volatile);
        Self { name, functions, signature: UdfSignature::user_defined(volatility) }
    }

    /// Whether it is what an operator stands for.
    pub fn is_operator(&self) -> bool {
        self.functions.iter().any(|function| function.operator.is_some())
    }

    /// The cheapest overload for arguments of these types.
    ///
    /// # Errors
    /// `function name(types) does not exist` (42883).
    pub fn resolve(&self, arguments: &[PgType]) -> Result<(&Function, &Signature)> {
        let candidates = self
            .functions
            .iter()
            .flat_map(|function| {
                function.signatures.iter().map(move |signature| (function, signature))
            })
            .filter_map(|(function, signature)| {
                Some((signature.cost(arguments)?, function, signature))
            });
        let best = candidates.min_by_key(|(cost, ..)| *cost);
        best.map(|(_, function, signature)| (function, signature)).ok_or_else(|| {
            let types: Vec<_> = arguments.iter().map(|given| given.sql_name()).collect();
            ValueError::new("42883", format!("function {}({}) does not exist", self.name, types.join(", ")))
                .with_hint("No function matches the given name and argument types. You might need to add explicit type casts.")
        })
    }
}

/// Deepest calls whose names are spelt out.
const NAMED_DEPTH: usize = 16;

/// Whether calls and operators are nested more deeply.
fn deeper_than(expr: &Expr, depth: usize) -> bool {
    let Some(rest) = depth.checked_sub(1) else { return true };
    match expr {
        Expr::ScalarFunction(call) => call.args.iter().any(|one| deeper_than(one, rest)),
        Expr::BinaryExpr(binary) => {
            deeper_than(&binary.left, rest) || deeper_than(&binary.right, rest)
        }
        Expr::Cast(cast) => deeper_than(&cast.expr, rest),
        _ => false,
    }
}

/// The field of a result, by the signature and the arguments.
fn result_field(
    function: &Function,
    signature: &Signature,
    args: &ReturnFieldArgs<'_>,
) -> FieldRef {
    if let Some(field) = function.result.and_then(|rule| rule(args)) {
        return field;
    }
    let one = element_field(function, signature, args);
    if !signature.returns_set {
        return Arc::new(one.with_name(signature.name));
    }
    let list = DataType::List(Arc::new(one.with_name("item")));
    Arc::new(Field::new(signature.name, list, true))
}

fn element_field(function: &Function, signature: &Signature, args: &ReturnFieldArgs<'_>) -> Field {
    if signature.result == PgType::RECORD && !signature.columns.is_empty() {
        let columns = signature
            .columns
            .iter()
            .map(|column| column.pg_type.field(column.name.unwrap_or("value"), true));
        let data_type = DataType::Struct(columns.collect());
        return Field::new("row", data_type, true).with_metadata(PgType::RECORD.metadata());
    }
    match signature.result {
        ANY_ELEMENT | ANY_ARRAY => polymorphic(signature, args.arg_fields),
        PgType::NUMERIC => {
            let data_type = match function.scale.and_then(|rule| rule(args)) {
                Some((precision, scale)) => DataType::Decimal128(precision, scale),
                None => PgType::NUMERIC.arrow(),
            };
            Field::new("numeric", data_type, true).with_metadata(PgType::NUMERIC.metadata())
        }
        exact => exact.field("result", true).as_ref().clone(),
    }
}

fn polymorphic(signature: &Signature, fields: &[FieldRef]) -> Field {
    let given = |wanted: PgType| {
        let places = signature.parameters.iter().zip(fields);
        places.filter(|(parameter, _)| parameter.pg_type == wanted).map(|(_, field)| field).find(
            |field| {
                wanted == ANY_ELEMENT && !field.data_type().is_null()
                    || field.data_type().is_nested()
            },
        )
    };
    let (element, array) = (given(ANY_ELEMENT), given(ANY_ARRAY));
    let unknown = || Arc::new(Field::new("item", DataType::Utf8View, true));
    if signature.result == ANY_ARRAY {
        if let Some(array) = array {
            return Field::new("array", list_type(array.data_type()), true);
        }
        let element = element.map_or_else(unknown, Arc::clone);
        let item = Field::new("item", plain_type(element.data_type()), true)
            .with_metadata(pg_metadata(&element));
        return Field::new("array", DataType::List(Arc::new(item)), true);
    }
    if let Some(DataType::List(item)) = array.map(|array| list_type(array.data_type())) {
        return Field::new("element", item.data_type().clone(), true)
            .with_metadata(pg_metadata(&item));
    }
    let element = element.map_or_else(unknown, Arc::clone);
    Field::new("element", plain_type(element.data_type()), true)
        .with_metadata(pg_metadata(&element))
}

fn pg_metadata(field: &Field) -> std::collections::HashMap<String, String> {
    let stated = field.metadata().get(PG_TYPE_KEY).cloned();
    stated.map(|stated| (PG_TYPE_KEY.to_owned(), stated)).into_iter().collect()
}

fn plain_type(data_type: &DataType) -> DataType {
    super::argument::plain(&new_null_array(data_type, 0))
        .map_or_else(|_| data_type.clone(), |array| array.data_type().clone())
}

fn list_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field) => DataType::List(Arc::clone(field)),
        other => other.clone(),
    }
}

impl ScalarUDFImpl for Overloads {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &UdfSignature {
        &self.signature
    }

    /// `name(a,b)`. Of deep expressions a digest: names are made again and again while a statement is
    /// planned, and that of `a + b + c + …` is as long as the expression at each of its levels.
    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        if args.iter().any(|argument| deeper_than(argument, NAMED_DEPTH)) {
            let mut hasher = std::hash::DefaultHasher::new();
            args.hash(&mut hasher);
            return Ok(format!("{}(#{:016x})", self.name, hasher.finish()));
        }
        let args = args.iter().map(|argument| argument.schema_name().to_string());
        Ok(format!("{}({})", self.name, args.collect::<Vec<_>>().join(",")))
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(DataFusionError::Internal(format!("{}: return_field_from_args", self.name)))
    }

    /// Leaves the arguments as they are: they are converted inside, where the exact types are known.
    fn coerce_types(&self, arg_types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let types: Vec<_> = args.arg_fields.iter().map(|field| type_of(field)).collect();
        let (function, signature) = self.resolve(&types)?;
        Ok(result_field(function, signature, &args))
    }

    fn is_strict(&self) -> bool {
        self.functions.iter().all(|function| function.strict)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let types: Vec<_> = args.arg_fields.iter().map(|field| type_of(field)).collect();
        let (function, signature) = self.resolve(&types)?;
        let zone_name = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let mut arguments = Vec::with_capacity(args.args.len());
        for (index, (value, field)) in args.args.iter().zip(&args.arg_fields).enumerate() {
            let (array, constant) = match value {
                ColumnarValue::Array(array) => (Arc::clone(array), false),
                ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            };
            let wanted = signature.parameter_type(index, &types).unwrap_or(PgType::TEXT);
            arguments.push(Argument::new(&array, field, constant, wanted, zone_name)?);
        }
        let once = arguments.iter().all(|argument| argument.constant)
            && function.volatility != Volatility::Volatile;
        let rows = if once { 1 } else { args.number_rows };
        let call = Call::new(&arguments, rows, &args.return_field, zone_name);
        let mut array = run(function, &call)?;
        let promised = args.return_field.data_type();
        // A list may have lost what its element's metadata say of the type.
        if array.data_type() != promised && matches!(promised, DataType::List(_)) {
            array = cast(&array, promised)?;
        }
        if once {
            return Ok(ColumnarValue::Scalar(constant(&array)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

/// The only value of a column. Lists are wrapped as they are: taken apart and put together again
/// they would lose the exact type of their elements.
fn constant(array: &ArrayRef) -> DataFusionResult<ScalarValue> {
    if let (Some(list), 1) = (array.as_list_opt::<i32>(), array.len()) {
        return Ok(ScalarValue::List(Arc::new(list.clone())));
    }
    ScalarValue::try_from_array(array, 0)
}

/// Runs a function on converted arguments.
///
/// # Errors
/// What the kernel says.
pub fn run(function: &Function, call: &Call<'_>) -> Result<ArrayRef> {
    let data_type = call.result.data_type();
    let constant_null =
        call.arguments.iter().any(|argument| argument.constant && argument.is_null(0));
    if function.strict && constant_null {
        return Ok(new_null_array(data_type, call.rows));
    }
    match function.kernel {
        Kernel::Columns(kernel) => {
            let array = kernel(call)?;
            if function.strict { with_nulls_of(call, array) } else { Ok(array) }
        }
        Kernel::Rows(kernel) => {
            let mut builder = Builder::new(data_type, call.rows);
            for index in 0..call.rows {
                let null = function.strict
                    && call.arguments.iter().any(|argument| argument.is_null(index));
                let value = if null { super::Value::Null } else { kernel(&Row::new(call, index))? };
                builder.push(value)?;
            }
            builder.finish()
        }
    }
}

/// A column kernel may leave NULLs of its arguments to this.
fn with_nulls_of(call: &Call<'_>, array: ArrayRef) -> Result<ArrayRef> {
    let arguments = call.arguments.iter().filter(|argument| !argument.constant);
    let given = arguments
        .fold(None, |nulls, argument| NullBuffer::union(nulls.as_ref(), argument.array.nulls()));
    let Some(given) = given.filter(|given| given.null_count() > 0) else { return Ok(array) };
    if array.nulls().is_some_and(|nulls| nulls.null_count() >= given.null_count()) {
        return Ok(array);
    }
    let nulls: BooleanBuffer = !given.inner();
    nullif(&array, &BooleanArray::new(nulls, None)).map_err(internal)
}
