//! Functions over the catalog: `regclass`, `pg_get_…`, privileges (manual: functions-info).

use std::sync::Arc;

use clientele_catalog::definition::{Oid, RelationKind};
use clientele_catalog::pg_catalog::Context;
use clientele_catalog::pg_catalog::describe::{
    comments, definitions, functions, index_properties, names, privileges, sizes,
};
use clientele_udfs::input;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF};
use datafusion::scalar::ScalarValue;

use super::facts::catalog_context;
use super::row_kernel::{self, Kernel, Signature, number, optional_text, stable, text, text_value};
use crate::error::{Error, Result};
use crate::planning::context::{QueryContext, undefined_table};

macro_rules! kernels {
    ($($name:literal $arguments:literal $signature:expr, $call:expr, $comment:literal;)*) => {
        /// Every function over the catalog.
        pub(super) static KERNELS: &[Kernel] = &[$(Kernel {
            name: $name, arguments: $arguments, signature: $signature, comment: $comment, call: $call,
        }),*];
    };
}

type Values<'a> = &'a [ScalarValue];

const TEXT: PgType = PgType::TEXT;
const BOOL: PgType = PgType::BOOL;
/// `aclitem[]`.
const ACLITEMS: PgType = PgType::plain(1034);

kernels! {
    "to_regclass" "text" stable(1, 1, PgType::REGCLASS), |c, v| optional_oid(names::to_regclass(&facts(c), text(v, 0)?)), "convert text to regclass";
    "to_regtype" "text" stable(1, 1, PgType::REGTYPE), |c, v| optional_oid(names::to_regtype(&facts(c), text(v, 0)?)), "convert text to regtype";
    "to_regnamespace" "text" stable(1, 1, PgType::REGNAMESPACE), |c, v| optional_oid(names::to_regnamespace(&facts(c), text(v, 0)?)), "convert text to regnamespace";
    "to_regrole" "text" stable(1, 1, PgType::REGROLE), |c, v| optional_oid(names::to_regrole(&facts(c), text(v, 0)?)), "convert text to regrole";
    "to_regproc" "text" stable(1, 1, PgType::REGPROC), |c, v| optional_oid(names::to_regproc(&facts(c), text(v, 0)?)), "convert text to regproc";
    "to_regprocedure" "text" stable(1, 1, PgType::plain(2202)), |c, v| optional_oid(names::to_regprocedure(&facts(c), text(v, 0)?)), "convert text to regprocedure";
    "regclassin" "text" stable(1, 1, PgType::REGCLASS), read_class, "I/O";
    "regtypein" "text" stable(1, 1, PgType::REGTYPE), |c, v| named_oid(c, v, names::to_regtype, "42704", "type"), "I/O";
    "regnamespacein" "text" stable(1, 1, PgType::REGNAMESPACE), |c, v| named_oid(c, v, names::to_regnamespace, "3F000", "schema"), "I/O";
    "regrolein" "text" stable(1, 1, PgType::REGROLE), |c, v| named_oid(c, v, names::to_regrole, "42704", "role"), "I/O";
    "regprocin" "text" stable(1, 1, PgType::REGPROC), |c, v| named_oid(c, v, names::to_regproc, "42883", "function"), "I/O";
    "regprocedurein" "text" stable(1, 1, PgType::plain(2202)), |c, v| named_oid(c, v, names::to_regprocedure, "42883", "function"), "I/O";
    "regclassout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regclass_text), "I/O";
    "regtypeout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regtype_text), "I/O";
    "regnamespaceout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regnamespace_text), "I/O";
    "regroleout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regrole_text), "I/O";
    "regprocout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regproc_text), "I/O";
    "regprocedureout" "oid" stable(1, 1, TEXT), |c, v| shown(c, v, names::regprocedure_text), "I/O";
    "pg_get_userbyid" "oid" stable(1, 1, PgType::NAME), |c, v| shown(c, v, names::user_by_oid), "role name by OID";
    "pg_table_is_visible" "oid" stable(1, 1, BOOL), |c, v| visible(c, v, names::table_is_visible), "is table visible in search path?";
    "pg_relation_is_updatable" "regclass, boolean" stable(2, 2, PgType::INT4), changeable, "is a view insertable/updatable/deletable";
    "pg_column_is_updatable" "regclass, smallint, boolean" stable(3, 3, BOOL), |c, v| Ok(ScalarValue::Boolean(Some(changeable(c, v)? != ScalarValue::Int32(Some(0))))), "is a column updatable";
    "pg_type_is_visible" "oid" stable(1, 1, BOOL), |c, v| visible(c, v, names::type_is_visible), "is type visible in search path?";
    "pg_function_is_visible" "oid" stable(1, 1, BOOL), |c, v| visible(c, v, names::function_is_visible), "is function visible in search path?";
    "pg_operator_is_visible" "oid" stable(1, 1, BOOL), built_in, "is operator visible in search path?";
    "pg_opclass_is_visible" "oid" stable(1, 1, BOOL), built_in, "is opclass visible in search path?";
    "pg_opfamily_is_visible" "oid" stable(1, 1, BOOL), built_in, "is opfamily visible in search path?";
    "pg_collation_is_visible" "oid" stable(1, 1, BOOL), built_in, "is collation visible in search path?";
    "pg_conversion_is_visible" "oid" stable(1, 1, BOOL), built_in, "is conversion visible in search path?";
    "pg_statistics_obj_is_visible" "oid" stable(1, 1, BOOL), built_in, "is statistics object visible in search path?";
    "pg_ts_config_is_visible" "oid" stable(1, 1, BOOL), built_in, "is text search configuration visible in search path?";
    "pg_ts_dict_is_visible" "oid" stable(1, 1, BOOL), built_in, "is text search dictionary visible in search path?";
    "pg_ts_parser_is_visible" "oid" stable(1, 1, BOOL), built_in, "is text search parser visible in search path?";
    "pg_ts_template_is_visible" "oid" stable(1, 1, BOOL), built_in, "is text search template visible in search path?";
    "pg_encoding_to_char" "integer" stable(1, 1, PgType::NAME), |_, v| Ok(text_value(names::encoding_name(number(v, 0)? as i32))), "convert encoding id to encoding name";
    "pg_get_constraintdef" "oid, boolean" stable(1, 2, TEXT), |c, v| Ok(optional_text(definitions::constraint_definition(&facts(c), oid(v, 0)?, flag(v, 1)))), "constraint description";
    "pg_index_column_has_property" "regclass, integer, text" stable(3, 3, BOOL), |c, v| Ok(ScalarValue::Boolean(index_properties::of_column(&facts(c), oid(v, 0)?, number(v, 1)?, text(v, 2)?))), "test property of an index column";
    "pg_index_has_property" "regclass, text" stable(2, 2, BOOL), |c, v| Ok(ScalarValue::Boolean(index_properties::of_index(&facts(c), oid(v, 0)?, text(v, 1)?))), "test property of an index";
    "pg_get_indexdef" "oid, integer, boolean" stable(1, 3, TEXT), index_definition, "index description";
    "pg_get_viewdef" "oid, boolean" stable(1, 2, TEXT), view_definition, "select statement of a view";
    "pg_get_expr" "pg_node_tree, oid, boolean" stable(2, 3, TEXT), |_, v| Ok(text_value(definitions::expression(text(v, 0)?, flag(v, 2)))), "deparse an encoded expression";
    "pg_get_ruledef" "oid, boolean" stable(1, 2, TEXT), |c, v| Ok(optional_text(definitions::rule_definition(&facts(c), oid(v, 0)?))), "source text of a rule";
    "pg_get_triggerdef" "oid, boolean" stable(1, 2, TEXT), |_, _| Ok(optional_text(None)), "trigger description";
    "pg_get_partkeydef" "oid" stable(1, 1, TEXT), |_, _| Ok(optional_text(None)), "partition key description";
    "pg_get_partition_constraintdef" "oid" stable(1, 1, TEXT), |_, _| Ok(optional_text(None)), "partition constraint description";
    "pg_get_statisticsobjdef_columns" "oid" stable(1, 1, TEXT), |_, _| Ok(optional_text(None)), "extended statistics columns";
    "pg_get_functiondef" "oid" stable(1, 1, TEXT), |c, v| Ok(optional_text(functions::function_definition(&facts(c), oid(v, 0)?))), "definition of a function";
    "pg_get_function_arguments" "oid" stable(1, 1, TEXT), |c, v| Ok(optional_text(functions::function_arguments(&facts(c), oid(v, 0)?))), "argument list of a function";
    "pg_get_function_identity_arguments" "oid" stable(1, 1, TEXT), |c, v| Ok(optional_text(functions::function_identity_arguments(&facts(c), oid(v, 0)?))), "identity argument list of a function";
    "pg_get_function_arg_default" "oid, integer" stable(2, 2, TEXT), |c, v| Ok(optional_text(functions::function_argument_default(&facts(c), oid(v, 0)?, number(v, 1)? as i32))), "function argument default";
    "pg_get_function_result" "oid" stable(1, 1, TEXT), |c, v| Ok(optional_text(functions::function_result(&facts(c), oid(v, 0)?))), "result type of a function";
    "pg_get_function_sqlbody" "oid" stable(1, 1, TEXT), |_, _| Ok(optional_text(None)), "function SQL body";
    "pg_get_serial_sequence" "text, text" stable(2, 2, TEXT), serial_sequence, "name of sequence for a serial column";
    "format_type" "oid, integer" Signature { least: 2, most: 2, result: TEXT, volatile: false, strict: false }, format_type, "format a type oid and atttypmod to canonical SQL";
    "obj_description" "oid, name" stable(1, 2, TEXT), object_comment, "get description for object id and catalog name";
    "col_description" "oid, integer" stable(2, 2, TEXT), |c, v| Ok(optional_text(comments::column_comment(&facts(c), oid(v, 0)?, number(v, 1)? as i32))), "get description for table column";
    "shobj_description" "oid, name" stable(2, 2, TEXT), |c, v| Ok(optional_text(comments::shared_comment(&facts(c), oid(v, 0)?, text(v, 1)?))), "get description for object id and shared catalog name";
    "pg_describe_object" "oid, oid, integer" stable(3, 3, TEXT), |c, v| Ok(optional_text(names::describe_object(&facts(c), oid(v, 0)?, oid(v, 1)?, number(v, 2)? as i32))), "get identification of SQL object";
    "pg_relation_size" "regclass" stable(1, 2, PgType::INT8), |c, v| size(c, v, sizes::relation_size), "disk space usage for the main fork of a relation";
    "pg_table_size" "regclass" stable(1, 1, PgType::INT8), |c, v| size(c, v, sizes::relation_size), "disk space usage for a table";
    "pg_total_relation_size" "regclass" stable(1, 1, PgType::INT8), |c, v| size(c, v, sizes::relation_size), "total disk space usage for a relation";
    "pg_indexes_size" "regclass" stable(1, 1, PgType::INT8), |c, v| size(c, v, sizes::indexes_size), "disk space usage for all indexes of a table";
    "pg_database_size" "name" stable(1, 1, PgType::INT8), |c, _| Ok(ScalarValue::Int64(Some(sizes::database_size(&facts(c))))), "total disk space usage for a database";
    "pg_tablespace_location" "oid" stable(1, 1, TEXT), |_, _| Ok(text_value("")), "tablespace location";
    "pg_tablespace_size" "oid" stable(1, 1, PgType::INT8), |c, _| Ok(ScalarValue::Int64(Some(sizes::database_size(&facts(c))))), "total disk space usage for a tablespace";
    "pg_relation_filenode" "regclass" stable(1, 1, PgType::OID), |_, v| Ok(ScalarValue::Int64(Some(i64::from(oid(v, 0)?)))), "filenode identifier of relation";
    "pg_relation_is_publishable" "regclass" stable(1, 1, BOOL), |_, _| Ok(ScalarValue::Boolean(Some(false))), "whether a relation can be published";
    "pg_has_role" "name, oid, text" stable(2, 3, BOOL), |c, v| { let n = v.len(); let context = facts(c); let own = if n == 3 { role(&context, v, 0)? } else { c.role.oid }; answer(privileges::has_role(&context, own, role(&context, v, n - 2)?, text(v, n - 1)?)) }, "current user privilege on role";
    "has_table_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, relation_oid, privileges::table), "user privilege on relation";
    "has_any_column_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, relation_oid, privileges::any_column), "user privilege on any column";
    "has_sequence_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, relation_oid, privileges::sequence), "user privilege on sequence";
    "has_schema_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, schema_oid, privileges::schema), "user privilege on schema";
    "has_database_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, database_oid, privileges::database), "user privilege on database";
    "has_function_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, function_oid, privileges::function), "user privilege on function";
    "acldefault" "\"char\", oid" stable(2, 2, ACLITEMS), default_acl, "show hardwired default privileges, primarily for use by the information schema";
    "acl_by_oid" "aclitem[]" stable(1, 1, ACLITEMS), acl_by_oid, "access privileges with the OIDs of roles in place of their names";
    "oidvectortypes" "oidvector" stable(1, 1, TEXT), vector_types, "print type names of oidvector field";
    "has_type_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, type_oid, privileges::usage_of_type), "user privilege on type";
    "has_tablespace_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| { let (f, role) = asked(c, v)?; answer(privileges::tablespace(&f, role, text(v, v.len() - 1)?)) }, "user privilege on tablespace";
    "has_server_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| has(c, v, server_oid, privileges::server), "user privilege on server";
    "has_foreign_data_wrapper_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| { let (f, role) = asked(c, v)?; answer(privileges::wrapper(&f, role, text(v, v.len() - 1)?)) }, "user privilege on foreign data wrapper";
    "has_language_privilege" "name, text, text" stable(2, 3, BOOL), |c, v| { let (f, role) = asked(c, v)?; answer(privileges::language(&f, role, text(v, v.len() - 2)?, text(v, v.len() - 1)?)) }, "user privilege on language";
    "has_column_privilege" "text, text, text" stable(3, 4, BOOL), has_column, "user privilege on column";
    "pg_stat_get_numscans" "oid" stable(1, 1, PgType::INT8), |_, _| Ok(ScalarValue::Int64(Some(0))), "number of scans done for table/index";
    "row_security_active" "oid" stable(1, 1, BOOL), |_, _| Ok(ScalarValue::Boolean(Some(false))), "row security for current context active on table";
    "pg_char_to_encoding" "name" stable(1, 1, PgType::INT4), |_, _| Ok(ScalarValue::Int32(Some(6))), "convert encoding name to encoding id";
}

fn facts(context: &QueryContext) -> Arc<Context> {
    catalog_context(context)
}

fn oid(values: Values<'_>, index: usize) -> Result<Oid> {
    let number = number(values, index)?;
    Oid::try_from(number).map_err(|_| Error::new("22003", format!("OID out of range: {number}")))
}

fn flag(values: Values<'_>, index: usize) -> bool {
    matches!(values.get(index), Some(ScalarValue::Boolean(Some(true))))
}

fn optional_oid(oid: Option<Oid>) -> Result<ScalarValue> {
    Ok(ScalarValue::Int64(oid.map(i64::from)))
}

fn shown(
    context: &QueryContext,
    values: Values<'_>,
    name: fn(&Context, Oid) -> String,
) -> Result<ScalarValue> {
    Ok(text_value(name(&facts(context), oid(values, 0)?)))
}

/// What may be done to a relation's rows, as bits of `CmdType` (PostgreSQL's
/// `relation_is_updatable`): all to those of tables.
fn changeable(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    const INSERT_UPDATE_DELETE: i32 = 1 << 3 | 1 << 2 | 1 << 4;
    let relation = context.catalog().relation_by_oid(oid(values, 0)?);
    let is_table = relation.is_some_and(|one| matches!(one.kind, RelationKind::Table));
    Ok(ScalarValue::Int32(Some(if is_table { INSERT_UPDATE_DELETE } else { 0 })))
}

fn visible(
    context: &QueryContext,
    values: Values<'_>,
    visible: fn(&Context, Oid) -> Option<bool>,
) -> Result<ScalarValue> {
    Ok(ScalarValue::Boolean(visible(&facts(context), oid(values, 0)?)))
}

fn built_in(_: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    Ok(ScalarValue::Boolean(Some(names::built_in_is_visible(oid(values, 0)?))))
}

fn size(
    context: &QueryContext,
    values: Values<'_>,
    size: fn(&Context, Oid) -> Option<i64>,
) -> Result<ScalarValue> {
    let context = facts(context);
    let relation = relation_oid(&context, values, 0)?;
    Ok(ScalarValue::Int64(size(&context, relation)))
}

fn read_class(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let name = text(values, 0)?;
    if let Ok(number) = name.parse::<i64>() {
        return Ok(ScalarValue::Int64(Some(number)));
    }
    match names::to_regclass(&facts(context), name) {
        Some(oid) => optional_oid(Some(oid)),
        None => {
            Err(undefined_table(&names::split_name(name).unwrap_or_else(|| vec![name.to_owned()])))
        }
    }
}

fn named_oid(
    context: &QueryContext,
    values: Values<'_>,
    find: fn(&Context, &str) -> Option<Oid>,
    sqlstate: &'static str,
    kind: &str,
) -> Result<ScalarValue> {
    let name = text(values, 0)?;
    if let Ok(number) = name.parse::<i64>() {
        return Ok(ScalarValue::Int64(Some(number)));
    }
    match find(&facts(context), name) {
        Some(oid) => optional_oid(Some(oid)),
        None => Err(Error::new(sqlstate, format!("{kind} \"{name}\" does not exist"))),
    }
}

fn index_definition(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let index = oid(values, 0)?;
    Ok(optional_text(match values.len() {
        1 => definitions::index_definition(&facts(context), index),
        _ => definitions::index_column(
            &facts(context),
            index,
            number(values, 1)? as i32,
            flag(values, 2),
        ),
    }))
}

fn view_definition(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let context = facts(context);
    let view = relation_oid(&context, values, 0)?;
    Ok(optional_text(definitions::view_definition(&context, view)))
}

fn serial_sequence(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let facts = facts(context);
    let table = relation_oid(&facts, values, 0)?;
    let relation = context.catalog().relation_by_oid(table);
    let name = relation.and_then(|table| {
        text(values, 1).ok().and_then(|column| definitions::serial_sequence(&facts, table, column))
    });
    Ok(optional_text(name))
}

fn format_type(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    if values.first().is_none_or(ScalarValue::is_null) {
        return Ok(optional_text(None));
    }
    let modifier = match values.get(1) {
        Some(value) if !value.is_null() => Some(number(values, 1)? as i32),
        _ => None,
    };
    Ok(text_value(definitions::format_type(&facts(context), oid(values, 0)?, modifier)))
}

fn object_comment(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let object = oid(values, 0)?;
    Ok(optional_text(match values.len() {
        1 => comments::any_object_comment(&facts(context), object),
        _ => comments::object_comment(&facts(context), object, text(values, 1)?),
    }))
}

/// The object of an argument: an OID, or a name.
type FindObject = fn(&Context, Values<'_>, usize) -> Result<Oid>;

fn relation_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    let found = names::to_regclass(context, name);
    found.ok_or_else(|| {
        undefined_table(&names::split_name(name).unwrap_or_else(|| vec![name.to_owned()]))
    })
}

fn schema_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    names::to_regnamespace(context, name)
        .ok_or_else(|| Error::new("3F000", format!("schema \"{name}\" does not exist")))
}

fn function_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    let found = names::to_regprocedure(context, name);
    found.ok_or_else(|| Error::new("42883", format!("function \"{name}\" does not exist")))
}

/// `acldefault(kind, owner)`.
fn default_acl(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let kind = text(values, 0)?;
    let owner = oid(values, 1)?;
    let items = privileges::default_acl(&facts(context), kind, owner).ok_or_else(|| {
        Error::new("XX000", format!("unrecognized object type abbreviation: {kind}"))
    })?;
    let items: Vec<ScalarValue> = items.into_iter().map(text_value).collect();
    Ok(ScalarValue::List(ScalarValue::new_list(&items, &DataType::Utf8View, true)))
}

/// The elements of an array.
fn elements(values: Values<'_>) -> Result<Vec<ScalarValue>> {
    let Some(ScalarValue::List(list)) = values.first() else { return Ok(Vec::new()) };
    let of_list = |array: ArrayRef| {
        (0..array.len()).map(|at| ScalarValue::try_from_array(&array, at)).collect::<Vec<_>>()
    };
    list.iter().flatten().flat_map(of_list).map(|one| one.map_err(Error::from)).collect()
}

fn acl_by_oid(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let facts = facts(context);
    let items = elements(values)?.into_iter().filter_map(|item| {
        let text = item.try_as_str().flatten()?;
        privileges::acl_item_by_oid(&facts, text).map(text_value)
    });
    let items: Vec<ScalarValue> = items.collect();
    Ok(ScalarValue::List(ScalarValue::new_list(&items, &DataType::Utf8View, true)))
}

fn vector_types(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let facts = facts(context);
    let name = |value: ScalarValue| {
        let oid = oid(std::slice::from_ref(&value), 0)?;
        Ok(definitions::format_type(&facts, oid, None))
    };
    let names = elements(values)?.into_iter().map(name).collect::<Result<Vec<_>>>()?;
    Ok(text_value(names.join(", ")))
}

fn server_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    let found = context.catalog.server(name);
    found
        .map(|server| server.oid)
        .ok_or_else(|| Error::new("42704", format!("server \"{name}\" does not exist")))
}

fn type_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    names::to_regtype(context, name)
        .ok_or_else(|| Error::new("42704", format!("type \"{name}\" does not exist")))
}

/// The facts, and the role of `has_…_privilege([role,] object, privilege)`.
fn asked(context: &QueryContext, values: Values<'_>) -> Result<(Arc<Context>, Oid)> {
    let facts = facts(context);
    let role = if values.len() == 3 { role(&facts, values, 0)? } else { context.role.oid };
    Ok((facts, role))
}

fn database_oid(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    let found = context.databases.iter().find(|database| database.name == name);
    found
        .map(|one| one.oid)
        .ok_or_else(|| Error::new("3D000", format!("database \"{name}\" does not exist")))
}

fn role(context: &Context, values: Values<'_>, index: usize) -> Result<Oid> {
    if let Ok(oid) = oid(values, index) {
        return Ok(oid);
    }
    let name = text(values, index)?;
    match context.role_named(name) {
        Some(role) => Ok(role.oid),
        None if name == "public" => Ok(0),
        None => Err(Error::new("42704", format!("role \"{name}\" does not exist"))),
    }
}

fn answer(answer: privileges::Answer) -> Result<ScalarValue> {
    answer.map(ScalarValue::Boolean).map_err(|message| Error::new("22023", message))
}

/// `has_…_privilege([role,] object, privilege)`.
fn has(
    context: &QueryContext,
    values: Values<'_>,
    find: FindObject,
    check: fn(&Context, Oid, Oid, &str) -> privileges::Answer,
) -> Result<ScalarValue> {
    let facts = facts(context);
    let first = values.len() - 2;
    let own = if first == 1 { role(&facts, values, 0)? } else { context.role.oid };
    let object = find(&facts, values, first)?;
    answer(check(&facts, own, object, text(values, first + 1)?))
}

/// `has_column_privilege([role,] table, column, privilege)`.
fn has_column(context: &QueryContext, values: Values<'_>) -> Result<ScalarValue> {
    let facts = facts(context);
    let first = values.len() - 3;
    let own = if first == 1 { role(&facts, values, 0)? } else { context.role.oid };
    let table = relation_oid(&facts, values, first)?;
    let column = match number(values, first + 1) {
        Ok(number) => Some(number as i16),
        Err(_) => privileges::column_number(&facts, table, text(values, first + 1)?),
    };
    let column = column.ok_or_else(|| Error::new("42703", "the column does not exist"))?;
    answer(privileges::column(&facts, own, table, column, text(values, first + 2)?))
}

/// The input and output functions of the types that name objects.
fn io(pg_type: PgType) -> Option<(&'static str, &'static str)> {
    Some(match pg_type.oid {
        24 => ("regprocin", "regprocout"),
        2202 => ("regprocedurein", "regprocedureout"),
        2205 => ("regclassin", "regclassout"),
        2206 => ("regtypein", "regtypeout"),
        4089 => ("regnamespacein", "regnamespaceout"),
        4096 => ("regrolein", "regroleout"),
        _ => return None,
    })
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

/// Whether values of a type are names of the catalog: `regclass` and its kin.
pub fn is_registered(pg_type: PgType) -> bool {
    io(pg_type).is_some()
}

/// A value of such a type from its text.
///
/// # Errors
/// 42P01, 42704, 42883: there is no such object.
pub fn read_registered(context: &QueryContext, pg_type: PgType, name: &str) -> Result<ScalarValue> {
    let kernel = io(pg_type)
        .and_then(|(read, _)| KERNELS.iter().find(|one| one.name == read))
        .ok_or_else(|| Error::internal("a type that names nothing"))?;
    let value = (kernel.call)(context, &[text_value(name)])?;
    Ok(value.cast_to(&pg_type.arrow())?)
}

/// The numbers of what an array's text names: `{int,int8}` as `regtype[]` is `{23,20}`. `None` for
/// arrays of other types.
///
/// # Errors
/// 22P02 it is no array, else as [`read_registered`].
pub fn numbered_array(context: &QueryContext, array: PgType, text: &str) -> Result<Option<String>> {
    let Some(element) = array.element().filter(|one| is_registered(*one)) else { return Ok(None) };
    let names = input::parse(PgType::TEXT_ARRAY, Some(text), &input::Context::default())?;
    let ScalarValue::List(names) = names else { return Ok(None) };
    let mut numbers = Vec::new();
    for name in names.value(0).as_string_view() {
        numbers.push(match name {
            Some(name) => read_registered(context, element, name)?.to_string(),
            None => "NULL".to_owned(),
        });
    }
    Ok(Some(format!("{{{}}}", numbers.join(","))))
}

/// A cast from or to `regclass` and its kin, which needs the catalog.
pub fn register_cast(
    from: &FieldRef,
    to: PgType,
    context: &Arc<QueryContext>,
) -> Option<Arc<ScalarUDF>> {
    let bind = |name: &str| {
        KERNELS.iter().find(|one| one.name == name).map(|one| row_kernel::bind(one, context))
    };
    if let (Some((read, _)), true) = (io(to), is_text(from.data_type())) {
        return bind(read);
    }
    let source = PgType::from_field(from);
    let (_, write) = io(source)?;
    (to.facts().category == 'S' && !is_text(from.data_type())).then(|| bind(write)).flatten()
}

/// Replaces result columns of `regclass` and its kin by their names.
///
/// # Errors
/// What planning refuses.
pub fn show_registered(plan: LogicalPlan, context: &Arc<QueryContext>) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let concerned =
        |field: &FieldRef| io(PgType::from_field(field)).is_some() && !is_text(field.data_type());
    if !schema.fields().iter().any(concerned) {
        return Ok(plan);
    }
    let mut exprs = Vec::with_capacity(schema.fields().len());
    for (qualifier, field) in schema.iter() {
        let column = Expr::Column(Column::from((qualifier, field)));
        let pg_type = PgType::from_field(field);
        let writer = io(pg_type).filter(|_| !is_text(field.data_type()));
        let writer = writer.and_then(|(_, write)| KERNELS.iter().find(|one| one.name == write));
        exprs.push(match writer {
            Some(kernel) => {
                let metadata = datafusion::common::metadata::FieldMetadata::from(
                    pg_type.metadata().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                );
                let named = row_kernel::bind(kernel, context).call(vec![column]);
                named.alias_qualified_with_metadata(
                    qualifier.cloned(),
                    field.name(),
                    Some(metadata),
                )
            }
            None => column,
        });
    }
    Ok(LogicalPlanBuilder::from(plan).project(exprs)?.build()?)
}
