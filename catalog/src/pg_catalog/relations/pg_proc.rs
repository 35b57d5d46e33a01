//! `pg_proc`: functions, aggregates, procedures. PostgreSQL manual: catalog-pg-proc.

use clientele_udfs::types::PgType;

use super::super::context::{Context, FunctionFacts};
use super::super::facts::functions::{self, TypeFunction};
use super::super::facts::grants;
use super::super::system_relation::relation;
use crate::catalog::{BOOTSTRAP_ROLE_OID, PG_CATALOG_OID};
use crate::definition::{Function, Oid};
use crate::privileges::Access;

/// Language `internal` (`sql/pg_catalog/pg_language.tsv`).
const INTERNAL: Oid = 12;
/// Language `sql`.
const SQL: Oid = 14;
/// Rows that PostgreSQL expects of a set-returning function by default.
const ROWS_EXPECTED: f64 = 1000.0;

relation! { (context) row in rows(context) => {
    oid: row.oid,
    proname: row.name,
    pronamespace: row.schema,
    proowner: row.defined.map_or(BOOTSTRAP_ROLE_OID, |one| one.owner),
    prolang: if row.defined.is_some() { SQL } else { INTERNAL },
    // What PostgreSQL assumes of functions in SQL and of those in C.
    procost: if row.defined.is_some() { 100.0 } else { 1.0 },
    prorows: if row.returns_set { ROWS_EXPECTED } else { 0.0 },
    provariadic: row.variadic,
    prokind: row.kind,
    prosecdef: row.defined.is_some_and(|one| one.definer),
    proisstrict: row.strict,
    proretset: row.returns_set,
    provolatile: row.volatility,
    proparallel: if row.defined.is_some() { 'u' } else { 's' },
    pronargs: row.inputs.len() as i64,
    pronargdefaults: row.defaults.len() as i64,
    prorettype: row.returns,
    proargtypes: row.inputs,
    proallargtypes: row.all_types,
    proargmodes: row.modes,
    proargnames: row.names,
    proargdefaults: (!row.defaults.is_empty()).then(|| row.defaults.join(", ")),
    proacl: row.defined.and_then(|one| grants::acl(&Access::function(one), context)),
    prosrc: row.defined.map_or(row.name, |one| one.body.as_str()),
} }

struct Row<'a> {
    oid: Oid,
    name: &'a str,
    schema: Oid,
    variadic: Oid,
    kind: char,
    strict: bool,
    returns_set: bool,
    volatility: char,
    returns: Oid,
    inputs: Vec<Oid>,
    all_types: Option<Vec<Oid>>,
    modes: Option<Vec<char>>,
    names: Option<Vec<&'a str>>,
    defaults: Vec<&'a str>,
    defined: Option<&'a Function>,
}

fn rows(context: &Context) -> Vec<Row<'_>> {
    let callable = context.functions.iter().map(of_function);
    callable.chain(functions::type_functions().iter().map(of_type)).collect()
}

fn of_function(function: &FunctionFacts) -> Row<'_> {
    let arguments = &function.arguments;
    let has_modes = arguments.iter().any(|one| one.mode != super::super::ArgumentMode::In);
    let has_names = arguments.iter().any(|one| !one.name.is_empty());
    let variadic = arguments.iter().find(|one| one.mode == super::super::ArgumentMode::Variadic);
    Row {
        oid: function.oid,
        name: &function.name,
        schema: function.schema,
        variadic: variadic.map_or(0, |one| {
            one.pg_type.element().map_or(PgType::plain(2276).oid, |item| item.oid)
        }),
        kind: function.kind.letter(),
        strict: function.strict,
        returns_set: function.returns_set,
        volatility: function.volatility.letter(),
        returns: function.returns.oid,
        inputs: function.inputs().map(|one| one.pg_type.oid).collect(),
        all_types: has_modes.then(|| arguments.iter().map(|one| one.pg_type.oid).collect()),
        modes: has_modes.then(|| arguments.iter().map(|one| one.mode.letter()).collect()),
        names: has_names.then(|| arguments.iter().map(|one| one.name.as_str()).collect()),
        defaults: arguments.iter().filter_map(|one| one.default.as_deref()).collect(),
        defined: function.defined.as_deref(),
    }
}

fn of_type<'a>(function: &'static TypeFunction) -> Row<'a> {
    Row {
        oid: function.oid,
        name: function.name,
        schema: PG_CATALOG_OID,
        variadic: 0,
        kind: 'f',
        strict: function.strict,
        returns_set: false,
        volatility: function.volatility,
        returns: function.returns,
        inputs: function.arguments.clone(),
        all_types: None,
        modes: None,
        names: None,
        defaults: Vec::new(),
        defined: None,
    }
}
