//! `segments.fields()`: what a builder offers.

use clientele_catalog::customers::Touchpoint;
use clientele_catalog::definition::Column;
use clientele_udfs::types::PgType;
use sqlparser::ast::{Expr, Query, SelectItem, SetExpr};

use super::fields::{Family, Fields, KEY, family, ident, object_name};
use super::model::Operator;
use crate::error::Result;
use crate::planning::context::QueryContext;
use crate::sql::template::{Part, filled, text, union_all};

/// The columns.
pub(super) const COLUMNS: &[(&str, PgType)] = &[
    ("name", PgType::TEXT),
    ("label", PgType::TEXT),
    ("source", PgType::TEXT),
    ("type", PgType::TEXT),
    ("input_type", PgType::TEXT),
    ("operators", PgType::plain(1009)),
    ("values", PgType::plain(1009)),
];

/// The query.
pub(super) fn query(context: &QueryContext, _: &[Option<String>]) -> Result<Query> {
    let (fields, profiles) = Fields::of(context)?.readable(context);
    let mut rows = vec![filled(
        "SELECT ''::text AS name, ''::text AS label, ''::text AS source, ''::text AS type, \
           ''::text AS input_type, NULL::text[] AS operators, NULL::text[] AS values WHERE false",
        &[],
    )?];
    for column in fields.profiles.live_columns().filter(|one| profiles && one.name != KEY) {
        if family(column.pg_type) != Family::Other {
            rows.push(row(column, (&column.name, "customers.profiles"), None)?);
        }
    }
    for table in &fields.tables {
        rows.push(whole(table)?);
        let columns = table.relation.live_columns();
        for column in columns.filter(|one| one.subject.is_none()) {
            if family(column.pg_type) != Family::Other {
                let name = format!("{}.{}", table.source, column.name);
                rows.push(row(column, (&name, &table.source), samples(table, column)?)?);
            }
        }
    }
    union_all(rows)
}

/// The rows of a table as a field: what quantifiers are over.
fn whole(table: &Touchpoint) -> Result<Query> {
    let label = table.relation.comment.as_deref().unwrap_or(&table.source);
    line([&table.source, label, &table.source, "record", "match"], "", None)
}

fn row(column: &Column, (name, source): (&str, &str), samples: Option<Query>) -> Result<Query> {
    let label = column.comment.as_deref().unwrap_or(&column.name);
    let operators: Vec<&str> = operators(family(column.pg_type)).map(Operator::name).collect();
    let type_name = column.pg_type.sql_name();
    let shown = [name, label, source, &type_name, input_type(column.pg_type)];
    line(shown, &operators.join(" "), samples)
}

fn line(
    [name, label, source, type_name, input_type]: [&str; 5],
    operators: &str,
    samples: Option<Query>,
) -> Result<Query> {
    let samples = match samples {
        Some(query) => Expr::Subquery(Box::new(query)),
        None => crate::sql::parse::expression("NULL::text[]")?,
    };
    filled(
        "SELECT \"<name>\"::text AS name, \"<label>\"::text AS label, \"<source>\"::text AS source, \
           \"<type>\"::text AS type, \"<input>\"::text AS input_type, \
           string_to_array(\"<operators>\"::text, ' ') AS operators, \"<samples>\" AS values",
        &[
            ("name", text(name)),
            ("label", text(label)),
            ("source", text(source)),
            ("type", text(type_name)),
            ("input", text(input_type)),
            ("operators", text(operators)),
            ("samples", Part::Expr(Box::new(samples))),
        ],
    )
}

/// Values to choose from, of columns that say nothing about a person and have few of them.
fn samples(table: &Touchpoint, column: &Column) -> Result<Option<Query>> {
    if column.domain.is_some() || !matches!(family(column.pg_type), Family::Text | Family::Boolean)
    {
        return Ok(None);
    }
    let mut rows = crate::sql::parse::query("SELECT v AS v FROM t LIMIT 10000")?;
    if let SetExpr::Select(select) = rows.body.as_mut() {
        let alias = ident("v");
        select.projection =
            vec![SelectItem::ExprWithAlias { expr: Expr::Identifier(ident(&column.name)), alias }];
        if let Some(sqlparser::ast::TableFactor::Table { name, .. }) =
            select.from.first_mut().map(|from| &mut from.relation)
        {
            *name = object_name(&table.source);
        }
    }
    filled(
        "SELECT CASE WHEN count(*) <= 50 THEN string_to_array(string_agg(distinct_values.v, chr(31) \
           ORDER BY distinct_values.v), chr(31)) END \
         FROM (SELECT DISTINCT v::text AS v FROM \"<rows>\" AS some_rows WHERE v IS NOT NULL) \
           AS distinct_values",
        &[("rows", Part::Query(&rows))],
    )
    .map(Some)
}

/// Types of inputs of HTML, as react-querybuilder names them.
fn input_type(pg_type: PgType) -> &'static str {
    match (family(pg_type), pg_type) {
        (Family::Number, _) => "number",
        (Family::Boolean, _) => "checkbox",
        (Family::Time, PgType::DATE) => "date",
        (Family::Time, PgType::TIME) => "time",
        (Family::Time, _) => "datetime-local",
        _ => "text",
    }
}

fn operators(family: Family) -> impl Iterator<Item = Operator> {
    Operator::ALL.iter().copied().filter(move |one| match family {
        Family::Text => true,
        Family::Number | Family::Time => !one.of_text(),
        Family::Boolean => !one.of_text() && !one.of_order(),
        Family::Other => matches!(one, Operator::Null | Operator::NotNull),
    })
}
