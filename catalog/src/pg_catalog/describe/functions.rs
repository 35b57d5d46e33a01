//! Functions as SQL text: `pg_get_functiondef`, `pg_get_function_arguments` and their family.

use super::super::context::{
    Argument, ArgumentMode, Context, FunctionFacts, FunctionKind, Volatility,
};
use super::super::facts::expressions::{quote_identifier, quote_literal};
use super::super::facts::functions;
use super::names::type_text;
use crate::definition::Oid;

/// `pg_get_function_arguments(oid)`: `name type DEFAULT value, …`.
pub fn function_arguments(context: &Context, function: Oid) -> Option<String> {
    match functions::find(context, function) {
        Some(function) => Some(arguments(function, true)),
        None => type_function_arguments(context, function),
    }
}

/// `pg_get_function_identity_arguments(oid)`: without defaults.
pub fn function_identity_arguments(context: &Context, function: Oid) -> Option<String> {
    match functions::find(context, function) {
        Some(function) => Some(arguments(function, false)),
        None => type_function_arguments(context, function),
    }
}

fn type_function_arguments(context: &Context, function: Oid) -> Option<String> {
    let function = functions::find_type_function(function)?;
    let types: Vec<String> =
        function.arguments.iter().map(|one| type_text(context, *one, -1)).collect();
    Some(types.join(", "))
}

pub(crate) fn arguments(function: &FunctionFacts, defaults: bool) -> String {
    let given = function.arguments.iter().filter(|one| one.mode != ArgumentMode::Table);
    given.map(|one| argument(one, defaults)).collect::<Vec<_>>().join(", ")
}

fn argument(argument: &Argument, defaults: bool) -> String {
    let mode = match argument.mode {
        ArgumentMode::Variadic => "VARIADIC ",
        ArgumentMode::Out => "OUT ",
        ArgumentMode::In | ArgumentMode::Table => "",
    };
    let name = match argument.name.as_str() {
        "" => String::new(),
        name => quote_identifier(name) + " ",
    };
    let default =
        argument.default.as_ref().filter(|_| defaults).map(|text| format!(" DEFAULT {text}"));
    format!("{mode}{name}{}{}", argument.pg_type.sql_name(), default.unwrap_or_default())
}

/// `pg_get_function_arg_default(oid, n)`: the default of the n-th input argument.
pub fn function_argument_default(context: &Context, function: Oid, place: i32) -> Option<String> {
    let place = usize::try_from(place.checked_sub(1)?).ok()?;
    functions::find(context, function)?.inputs().nth(place)?.default.clone()
}

/// `pg_get_function_result(oid)`: `SETOF text`, `TABLE(a integer, b text)`; `None` for procedures.
pub fn function_result(context: &Context, function: Oid) -> Option<String> {
    if let Some(one) = functions::find_type_function(function) {
        return Some(type_text(context, one.returns, -1));
    }
    result(functions::find(context, function)?)
}

pub(crate) fn result(function: &FunctionFacts) -> Option<String> {
    if function.kind == FunctionKind::Procedure {
        return None;
    }
    let columns: Vec<String> = function
        .arguments
        .iter()
        .filter(|one| one.mode == ArgumentMode::Table)
        .map(|one| argument(one, false))
        .collect();
    let set = if function.returns_set { "SETOF " } else { "" };
    Some(match columns.is_empty() {
        true => format!("{set}{}", function.returns.sql_name()),
        false => format!("TABLE({})", columns.join(", ")),
    })
}

/// `pg_get_functiondef(oid)`: `CREATE OR REPLACE FUNCTION …` in language internal. Aggregates have
/// none, as in PostgreSQL.
pub fn function_definition(context: &Context, function: Oid) -> Option<String> {
    let found = functions::find(context, function)?;
    let kind = match found.kind {
        FunctionKind::Aggregate => return None,
        FunctionKind::Procedure => "PROCEDURE",
        FunctionKind::Function | FunctionKind::Window => "FUNCTION",
    };
    let schema = quote_identifier(context.schema_name(found.schema));
    let name = quote_identifier(&found.name);
    let returns = result(found).map(|text| format!(" RETURNS {text}\n")).unwrap_or_default();
    let volatility = match found.volatility {
        Volatility::Immutable => " IMMUTABLE",
        Volatility::Stable => " STABLE",
        Volatility::Volatile => "",
    };
    let strict = if found.strict { " STRICT" } else { "" };
    let definer = match &found.defined {
        Some(defined) if defined.definer => " SECURITY DEFINER",
        _ => "",
    };
    let (language, source) = match &found.defined {
        Some(defined) => ("sql", format!("$function${}$function$", defined.body)),
        None => ("internal", quote_literal(&found.name)),
    };
    Some(format!(
        "CREATE OR REPLACE {kind} {schema}.{name}({})\n\
         {returns} LANGUAGE {language}\n{volatility}{strict}{definer}\nAS {source}\n",
        arguments(found, true),
    ))
}
