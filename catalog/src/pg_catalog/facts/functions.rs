//! Functions as `pg_proc` has them, with PostgreSQL's own OIDs where it has the function too.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use clientele_udfs::types::PgType;

use super::super::context::{Context, FunctionFacts};
use super::oids;
use crate::catalog::PG_CATALOG_OID;
use crate::definition::Oid;

/// PostgreSQL 15's functions that people call: OID, name, argument types.
const FUNCTIONS: &str = include_str!("../../../sql/functions.tsv");
/// Input, output, receive and send functions of the types of the engine.
const TYPE_FUNCTIONS: &str = include_str!("../../../sql/type_functions.tsv");

/// A function that turns values of a type into text or bytes and back.
pub(crate) struct TypeFunction {
    pub(crate) oid: Oid,
    pub(crate) name: &'static str,
    pub(crate) returns: Oid,
    pub(crate) arguments: Vec<Oid>,
    pub(crate) volatility: char,
    pub(crate) strict: bool,
}

/// All of them.
pub(crate) fn type_functions() -> &'static [TypeFunction] {
    static ALL: OnceLock<Vec<TypeFunction>> = OnceLock::new();
    ALL.get_or_init(|| TYPE_FUNCTIONS.lines().skip(1).filter_map(parse).collect())
}

fn parse(line: &'static str) -> Option<TypeFunction> {
    let mut field = line.split('\t');
    Some(TypeFunction {
        oid: field.next()?.parse().ok()?,
        name: field.next()?,
        returns: field.next()?.parse().ok()?,
        arguments: field.next()?.split(' ').filter_map(|oid| oid.parse().ok()).collect(),
        volatility: field.next()?.chars().next()?,
        strict: field.next()? == "t",
    })
}

/// The OID of a function: PostgreSQL's own where it has one of that name and those argument
/// types in `pg_catalog`, else one derived from schema, name and types, the same in every session.
pub fn function_oid(schema: Oid, name: &str, arguments: &[PgType]) -> Oid {
    let types = arguments.iter().map(|one| one.oid.to_string()).collect::<Vec<_>>().join(" ");
    let known = postgresql().get(&(name, types.as_str())).filter(|_| schema == PG_CATALOG_OID);
    known.copied().unwrap_or_else(|| oids::from_text(&format!("{schema} {name} {types}")))
}

/// Whether PostgreSQL has a function of that name.
pub fn is_function_of_postgresql(name: &str) -> bool {
    static NAMES: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| postgresql().keys().map(|(name, _)| *name).collect());
    names.contains(name)
}

fn postgresql() -> &'static HashMap<(&'static str, &'static str), Oid> {
    static KNOWN: OnceLock<HashMap<(&'static str, &'static str), Oid>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let entry = |line: &'static str| {
            let mut field = line.split('\t');
            let oid = field.next()?.parse().ok()?;
            Some(((field.next()?, field.next()?), oid))
        };
        FUNCTIONS.lines().skip(1).filter_map(entry).collect()
    })
}

/// Gives every function its OID and sorts by it, as [`Context::functions`] wants them; two that
/// hash alike get different numbers.
pub fn number_functions(mut functions: Vec<FunctionFacts>) -> Arc<Vec<FunctionFacts>> {
    let mut taken = HashSet::new();
    for function in &mut functions {
        let types: Vec<PgType> = function.inputs().map(|argument| argument.pg_type).collect();
        let mut oid = function_oid(function.schema, &function.name, &types);
        while !taken.insert(oid) {
            oid = oids::from_text(&oid.to_string());
        }
        function.oid = oid;
    }
    functions.sort_by_key(|function| function.oid);
    Arc::new(functions)
}

/// The function of that OID.
pub(crate) fn find(context: &Context, oid: Oid) -> Option<&FunctionFacts> {
    let place = context.functions.binary_search_by_key(&oid, |function| function.oid).ok()?;
    context.functions.get(place)
}

/// The input or output function of that OID.
pub(crate) fn find_type_function(oid: Oid) -> Option<&'static TypeFunction> {
    let all = type_functions();
    all.get(all.binary_search_by_key(&oid, |function| function.oid).ok()?)
}
