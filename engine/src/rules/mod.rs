//! Segments from a builder's rules, and rules from segments: no-code both ways.
//!
//! ```sql
//! SELECT * FROM segments.fields();
//! SELECT segments.from_rules('{"combinator": "and", "rules": [
//!   {"field": "city", "operator": "=", "value": "Lyon"},
//!   {"field": "shop.orders", "match": {"mode": "atLeast", "threshold": 3}, "within": "90 days"}]}');
//! SELECT segments.to_rules('lyon_regulars');
//! ```
//!
//! ```text
//! react-querybuilder's JSON ─▶ builder ┐             ┌▶ compile ─▶ tree of a query ─▶ SQL
//! JsonLogic ─▶ json_logic ─────────────┴▶ model ─────┘
//!                             builder ◀─  model  ◀─ read ◀─ tree of a view's query
//! ```
//!
//! - `fields`: what rules may name; `catalogue`: `segments.fields()`
//! - `error`: what is wrong, and where in the JSON

mod builder;
mod catalogue;
mod compile;
mod error;
mod fields;
mod json_logic;
mod model;
mod read;
#[cfg(test)]
mod tests;

use clientele_catalog::definition::RelationKind;
use clientele_udfs::input::{Context, parse};
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::Expr;

use crate::error::{Error, Result};
use crate::functions::row_kernel::{stable, text, text_value};
use crate::functions::{Kernel, QueryFunction};
use crate::planning::context::{Named, QueryContext};
use crate::sql;
use crate::sql::place::folded;
use fields::Fields;

/// The table functions.
pub(crate) static FUNCTIONS: &[QueryFunction] = &[QueryFunction {
    name: "segments.fields",
    parameters: &[],
    columns: catalogue::COLUMNS,
    comment: "what rules of segments may name: attributes of customers and columns of tables, with types, operators and sample values",
    query: Some(catalogue::query),
}];

/// The scalar functions.
pub(crate) static KERNELS: &[Kernel] = &[
    Kernel {
        name: "segments.from_rules",
        arguments: "jsonb",
        signature: stable(1, 1, PgType::TEXT),
        comment: "the query of a segment from rules of react-querybuilder or JsonLogic",
        call: from_rules,
    },
    Kernel {
        name: "segments.to_rules",
        arguments: "text",
        signature: stable(1, 1, PgType::JSONB),
        comment: "the rules of a segment whose definition rules can say",
        call: to_rules,
    },
];

fn from_rules(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let json = text(values, 0)?;
    let json = serde_json::from_str(json).map_err(|error| {
        Error::new("22P02", "invalid input syntax for type json").with_detail(error.to_string())
    })?;
    let query = compile::query(&Fields::of(context)?, &builder::read(&json)?)?;
    Ok(text_value(query.to_string()))
}

fn to_rules(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let name = text(values, 0)?;
    let parts = match sql::parse::expression(name)? {
        Expr::Identifier(one) => vec!["segments".to_owned(), folded(&one)],
        Expr::CompoundIdentifier(parts) => parts.iter().map(folded).collect(),
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    let shown = parts.join(".");
    let Some(Named::Relation(relation)) = context.find_relation(&parts)? else {
        return Err(Error::new("42P01", format!("segment \"{shown}\" does not exist")));
    };
    let (RelationKind::View { query } | RelationKind::MaterializedView { query, .. }) =
        &relation.kind
    else {
        return Err(Error::new("42809", format!("\"{shown}\" is not a segment")));
    };
    let group = read::group(&Fields::of(context)?, &sql::parse::query(query)?)?;
    let json = builder::write(&group).to_string();
    Ok(parse(PgType::JSONB, Some(&json), &Context::default())?)
}
