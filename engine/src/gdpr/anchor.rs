//! Anchors of retention: which rows of a table are acts of the person, and when they happened, as
//! `CREATE PUBLICATION` says which columns and rows of a table it means.
//!
//! ```text
//! shop.orders                                                     every row, by its first column of times
//! mail.sends (clicked_at)                                         rows with a click, by its time
//! web.events (occurred_at) WHERE (event IN ('search', 'purchase'))
//! ```
//!
//! The CNIL counts from the last contact that comes from the person: a click does, a mail that was
//! sent or opened does not.

use std::sync::Arc;

use clientele_catalog::Catalog;
use clientele_catalog::customers::{Touchpoint, Touchpoints};
use clientele_catalog::definition::{Column, Relation};
use clientele_catalog::domains::Subject;
use clientele_catalog::pg_catalog::{quote_identifier, quote_literal};
use clientele_udfs::types::PgType;
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, SetExpr, TableFactor};

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::privacy::hide;
use crate::sql;
use crate::sql::place::{folded, has_query};
use crate::statement::condition_of;

/// Column of the click on a mail, as [`crate::standard`] has it: that the mail was sent is no act.
const CLICKED_AT: &str = "clicked_at";

/// An anchor.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    relation: Arc<Relation>,
    /// When an act happened.
    time: Column,
    /// When a row came, act or not.
    came: Column,
    condition: Option<ast::Expr>,
}

/// Those of rules that name none: all tables with customers and times.
pub(super) fn defaults(catalog: &Catalog) -> Vec<Anchor> {
    let touchpoints = Touchpoints::of(catalog, Subject::Person).tables;
    let anchor = |table: &Touchpoint| {
        let came = table.relation.column_by_number(table.time?)?.clone();
        let click = table.relation.column(CLICKED_AT).filter(|column| is_time(column));
        let time = click.unwrap_or(&came).clone();
        Some(Anchor { relation: Arc::clone(&table.relation), time, came, condition: None })
    };
    touchpoints.iter().filter_map(anchor).collect()
}

impl Anchor {
    /// Reads one.
    ///
    /// # Errors
    /// 42601, 42P01, 42703; 42809 for a table without customers; 42804 for a column of no times.
    pub(super) fn read(context: &QueryContext, text: &str) -> Result<Self> {
        let malformed = || {
            Error::new("22023", format!("malformed anchor: \"{text}\""))
                .with_hint("Write it as table, table (time), or table (time) WHERE (condition).")
        };
        let query = sql::parse::query(&format!("SELECT FROM {text}")).map_err(|_| malformed())?;
        let (name, arguments, condition) = parts(query).ok_or_else(malformed)?;
        let relation = context.relation(&name)?;
        let touchpoints = Touchpoints::of(context.catalog(), Subject::Person).tables;
        let touchpoint = touchpoints.into_iter().find(|one| one.relation.oid == relation.oid);
        let touchpoint = touchpoint.ok_or_else(|| {
            let text = format!("\"{}\" has no rows of customers", relation.name);
            Error::new("42809", text)
                .with_detail("An anchor is a table with identifiers of people.")
        })?;
        let first = touchpoint.time.and_then(|number| relation.column_by_number(number));
        let time = match arguments.as_slice() {
            [] => first.cloned().ok_or_else(|| {
                let text = format!("\"{}\" has no column of type timestamptz", relation.name);
                Error::new("42804", text).with_hint("Name the column of the time: table (column).")
            })?,
            [one] => time(&relation, &folded(one))?,
            _ => return Err(malformed()),
        };
        let came = first.unwrap_or(&time).clone();
        Ok(Self { relation, time, came, condition })
    }

    /// Refuses a condition that is none, or that could tell the role what it may not see.
    ///
    /// # Errors
    /// 42804, 42703, 42883; 0A000 for queries and volatile functions in it; 42501.
    pub(super) fn check(&self, context: &Arc<QueryContext>) -> Result<()> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let invalid = || {
            Error::new("0A000", "invalid retention WHERE expression").with_detail(
                "Subqueries, and functions that give another value each time, are not allowed.",
            )
        };
        if has_query(condition) {
            return Err(invalid());
        }
        hide::refuse_hidden(context, &self.relation, condition, None).map_err(|error| {
            let detail = "A condition over values that the role does not see would tell them.";
            error.with_detail(detail).with_hint("GRANT SELECT (column) … TO the role opens them.")
        })?;
        let text = condition.to_string();
        match condition_of(context, &self.relation, ("WHERE", &text))?.is_volatile() {
            true => Err(invalid()),
            false => Ok(()),
        }
    }

    /// The one way it is written.
    pub(super) fn text(&self, catalog: &Catalog) -> String {
        let (table, time) = (self.table(catalog), quote_identifier(&self.time.name));
        match &self.condition {
            None => format!("{table} ({time})"),
            Some(ast::Expr::Nested(inner)) => format!("{table} ({time}) WHERE ({inner})"),
            Some(condition) => format!("{table} ({time}) WHERE ({condition})"),
        }
    }

    fn table(&self, catalog: &Catalog) -> String {
        let schema = catalog.schema_by_oid(self.relation.schema);
        let schema = schema.map_or("", |one| one.name.as_str());
        format!("{}.{}", quote_identifier(schema), quote_identifier(&self.relation.name))
    }

    /// The query of the acts that it means, by customer; `label` is how the rule writes the anchor.
    pub(super) fn acts(&self, catalog: &Catalog, label: &str) -> String {
        let subject = |one: &&Column| one.subject == Some(Subject::Person);
        let customer = self.relation.live_columns().find(subject);
        let customer = customer.map_or_else(String::new, |one| quote_identifier(&one.name));
        let only = self.condition.as_ref().map(|condition| format!(" FILTER (WHERE {condition})"));
        format!(
            "SELECT {customer} AS customer_id, {}::text AS anchor, max({}){} AS last_act_at, \
             min({}) AS first_seen_at FROM {} WHERE {customer} IS NOT NULL GROUP BY {customer}",
            quote_literal(label),
            instant(&self.time),
            only.unwrap_or_default(),
            instant(&self.came),
            self.table(catalog),
        )
    }
}

/// Name, arguments and condition of `SELECT FROM name (arguments) WHERE condition`.
fn parts(query: ast::Query) -> Option<(ast::ObjectName, Vec<ast::Ident>, Option<ast::Expr>)> {
    let plain = query.order_by.is_none() && query.limit_clause.is_none() && query.with.is_none();
    let SetExpr::Select(select) = *query.body else { return None };
    let [from] = select.from.as_slice() else { return None };
    let plain = plain && from.joins.is_empty() && select.having.is_none();
    let TableFactor::Table { name, alias: None, args, .. } = from.relation.clone() else {
        return None;
    };
    let column = |argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Identifier(name))) => Some(name),
        _ => None,
    };
    let arguments = args.map(|args| args.args).unwrap_or_default();
    let arguments = arguments.into_iter().map(column).collect::<Option<Vec<_>>>()?;
    plain.then_some((name, arguments, select.selection))
}

fn time(relation: &Relation, name: &str) -> Result<Column> {
    let column = relation.column(name).ok_or_else(|| {
        let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
        Error::new("42703", text)
    })?;
    match is_time(column) {
        true => Ok(column.clone()),
        false => {
            let found = column.pg_type.sql_name();
            let text = format!("column \"{name}\" is of type {found}, not of a time");
            Err(Error::new("42804", text))
        }
    }
}

fn is_time(column: &Column) -> bool {
    let times = [PgType::TIMESTAMPTZ.oid, PgType::TIMESTAMP.oid, PgType::DATE.oid];
    times.contains(&column.pg_type.oid)
}

fn instant(column: &Column) -> String {
    let name = quote_identifier(&column.name);
    match column.pg_type.oid == PgType::TIMESTAMPTZ.oid {
        true => name,
        false => format!("({name}::timestamp AT TIME ZONE 'UTC')"),
    }
}
