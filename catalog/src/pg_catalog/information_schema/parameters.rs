//! `parameters`: arguments of functions and procedures. PostgreSQL manual: infoschema-parameters.

use super::super::context::ArgumentMode;
use super::super::facts::sql_types::sql_type;
use super::super::system_relation::relation;

relation! { (context) (function, argument, place, facts) in context.functions.iter()
    .filter(|function| function.kind.is_routine())
    .flat_map(|function| {
        let arguments = function.arguments.iter().zip(1_i32..);
        arguments
            .map(move |(argument, place)| (function, argument, place, sql_type(argument.pg_type)))
    }) => {
    specific_catalog: &context.database.name,
    specific_schema: context.schema_name(function.schema),
    specific_name: format!("{}_{}", function.name, function.oid),
    ordinal_position: place,
    parameter_mode: match argument.mode {
        ArgumentMode::In | ArgumentMode::Variadic => "IN",
        ArgumentMode::Out | ArgumentMode::Table => "OUT",
    },
    is_result: "NO",
    as_locator: "NO",
    parameter_name: Some(argument.name.as_str()).filter(|name| !name.is_empty()),
    data_type: facts.data_type,
    udt_catalog: &context.database.name,
    udt_schema: "pg_catalog",
    udt_name: facts.udt_name,
    dtd_identifier: place.to_string(),
    parameter_default: argument.default.as_deref(),
} }
