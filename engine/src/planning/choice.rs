//! The types of expressions that choose among values: `CASE`, `coalesce`, `greatest`, `least`,
//! `nullif` (manual, 10.5).

use clientele_udfs::types::PgType;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{Case, Cast, ScalarFunction};

use super::numerics;
use super::values::{adopt, field_of};
use crate::functions;

/// Whether a function gives one of its arguments.
pub fn is_choice(call: &ScalarFunction) -> bool {
    matches!(call.func.name(), "coalesce" | "greatest" | "least" | "nullif")
}

/// Such a function with the type of its arguments.
///
/// # Errors
/// Arguments that do not fit.
pub fn function(mut call: ScalarFunction, schema: &DFSchema) -> Result<Expr> {
    let types = types_of(call.args.iter(), schema)?;
    if matches!(call.func.name(), "greatest" | "least") && !types.is_empty() {
        // They pass over NULL, and DataFusion's know not all types beside it.
        call.args.retain(|value| !matches!(value, Expr::Literal(ScalarValue::Null, _)));
    }
    if let Some(field) = common(&types) {
        call.args = call.args.into_iter().map(|value| adopt(value, &field)).collect();
    }
    let floating = |one: &PgType| [PgType::FLOAT4, PgType::FLOAT8].contains(one);
    if call.func.name() != "nullif" {
        call.args = numerics::alike(call.args, schema)?;
    } else if types.iter().any(floating) && types.iter().all(|one| one.facts().category == 'N') {
        // They are compared as floats, and the first is what is given back.
        let values = call.args.into_iter();
        call.args = values.map(|one| as_float(one, schema)).collect::<Result<_>>()?;
    }
    typed(Expr::ScalarFunction(call), types, schema)
}

fn as_float(value: Expr, schema: &DFSchema) -> Result<Expr> {
    let field = field_of(&value, schema)?;
    let function = clientele_udfs::cast::cast(&field, PgType::FLOAT8, false);
    Ok(match function {
        Some(function) => function.call(vec![value]),
        None => value,
    })
}

/// `CASE`: PostgreSQL keeps `oid`, and among strings takes the type of ELSE. The values that an
/// operand is compared with take its type.
///
/// # Errors
/// Branches that do not fit.
pub fn case(mut case: Case, schema: &DFSchema) -> Result<Expr> {
    if let Some(operand) = &case.expr {
        let field = field_of(operand, schema)?;
        let pairs = case.when_then_expr.into_iter();
        let pairs = pairs.map(|(when, then)| (Box::new(adopt(*when, &field)), then));
        case.when_then_expr = pairs.collect();
    }
    let branches = case.else_expr.iter().chain(case.when_then_expr.iter().map(|(_, then)| then));
    let types = types_of(branches.map(AsRef::as_ref), schema)?;
    if let Some(field) = common(&types) {
        let taken = |value: Box<Expr>| Box::new(adopt(*value, &field));
        let pairs = case.when_then_expr.into_iter();
        case.when_then_expr = pairs.map(|(when, then)| (when, taken(then))).collect();
        case.else_expr = case.else_expr.map(taken);
    }
    let case = alike(case, schema)?;
    typed(Expr::Case(case), types, schema)
}

/// The branches with one way to keep numbers.
fn alike(mut case: Case, schema: &DFSchema) -> Result<Case> {
    let (whens, thens): (Vec<_>, Vec<_>) = case.when_then_expr.into_iter().unzip();
    let branches = thens.into_iter().chain(case.else_expr).map(|branch| *branch);
    let mut branches = numerics::alike(branches.collect(), schema)?.into_iter().map(Box::new);
    case.when_then_expr = whens.into_iter().zip(branches.by_ref()).collect();
    case.else_expr = branches.next();
    Ok(case)
}

/// The one type of all, which unknown literals take.
fn common(types: &[PgType]) -> Option<FieldRef> {
    let first = types.first()?;
    types.iter().all(|one| one == first).then(|| first.field("", true))
}

/// The types of what is not an unknown literal.
fn types_of<'a>(values: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Result<Vec<PgType>> {
    let mut types = Vec::new();
    for value in values {
        let open = matches!(value, Expr::Placeholder(one) if one.field.is_none());
        if open {
            continue;
        }
        let pg_type = PgType { modifier: -1, ..functions::operand_type(value, schema)? };
        if pg_type != PgType::UNKNOWN {
            types.push(pg_type);
        }
    }
    Ok(types)
}

fn typed(choice: Expr, mut types: Vec<PgType>, schema: &DFSchema) -> Result<Expr> {
    let Some(mut first) = types.first().copied() else { return Ok(choice) };
    let whole = |one: &PgType| [PgType::INT2, PgType::INT4, PgType::INT8].contains(one);
    if types.contains(&PgType::OID) && types.iter().all(|one| *one == PgType::OID || whole(one)) {
        first = PgType::OID;
        types.clear();
    }
    let alike = types.iter().all(|one| *one == first);
    let strings = types.iter().all(|one| one.facts().category == 'S');
    // What cannot be told yet is told when the arguments have been coerced.
    let Ok(field) = field_of(&choice, schema) else { return Ok(choice) };
    let now = PgType { modifier: -1, ..PgType::from_field(field.as_ref()) };
    let same = now.arrow().equals_datatype(&first.arrow());
    if now == first || !(strings || alike && same) {
        return Ok(choice);
    }
    Ok(Expr::Cast(Cast { expr: Box::new(choice), field: first.field("", true) }))
}
