//! `routines`: functions and procedures. PostgreSQL manual: infoschema-routines.

use super::super::context::{FunctionKind, Volatility};
use super::super::facts::sql_types::sql_type;
use super::super::system_relation::relation;

relation! { (context) function in context.functions.iter()
    .filter(|function| function.kind.is_routine()) => {
    specific_catalog: &context.database.name,
    specific_schema: context.schema_name(function.schema),
    specific_name: format!("{}_{}", function.name, function.oid),
    routine_catalog: &context.database.name,
    routine_schema: context.schema_name(function.schema),
    routine_name: &function.name,
    routine_type: if function.kind == FunctionKind::Procedure { "PROCEDURE" } else { "FUNCTION" },
    data_type: Some(sql_type(function.returns).data_type)
        .filter(|_| function.kind != FunctionKind::Procedure),
    type_udt_catalog: &context.database.name,
    type_udt_schema: "pg_catalog",
    type_udt_name: function.returns.name(),
    dtd_identifier: "0",
    routine_body: "EXTERNAL",
    external_name: &function.name,
    external_language: "INTERNAL",
    parameter_style: "GENERAL",
    is_deterministic: super::yes_or_no(function.volatility == Volatility::Immutable),
    sql_data_access: "MODIFIES",
    is_null_call: super::yes_or_no(function.strict),
    schema_level_routine: "YES",
    max_dynamic_result_sets: 0,
    security_type: match &function.defined {
        Some(defined) if defined.definer => "DEFINER",
        _ => "INVOKER",
    },
    as_locator: "NO",
    is_udt_dependent: "NO",
} }
