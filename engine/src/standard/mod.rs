//! `CALL segments.install_standard()`: segments that every shop knows, as views to read and change.
//!
//! Each is one file of `sql`, whose tables `orders`, `events`, `sends` and `rfm_names` and their
//! columns stand for those that the call names; they are put in on the tree. What is there already
//! stays as it is.
//!
//! ```sql
//! CALL segments.install_standard(orders => 'shop.orders', total => 'amount', events => NULL);
//! ```

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use datafusion::scalar::ScalarValue;
use futures::future::BoxFuture;
use sqlparser::ast::{self, Expr, Ident, ObjectName, VisitMut, VisitorMut};

use crate::error::{Error, Result};
use crate::functions::procedures::{Parameter, Procedure, text};
use crate::planning::context::Named;
use crate::session::Session;
use crate::sql::place::{folded, name_parts};
use crate::sql::{self, Body, Statement};

macro_rules! files {
    ($($name:literal over $table:literal;)*) => {
        /// Name, the table that it is over, and what makes it.
        const FILES: &[(&str, &str, &str)] =
            &[$(($name, $table, include_str!(concat!("sql/", $name, ".sql")))),*];
    };
}

files! {
    "rfm_names" over "orders";
    "rfm" over "orders";
    "champions" over "orders";
    "loyal" over "orders";
    "at_risk" over "orders";
    "cannot_lose" over "orders";
    "need_attention" over "orders";
    "hibernating" over "orders";
    "lapsed" over "orders";
    "new_customers" over "orders";
    "one_order" over "orders";
    "twice_in_30_days" over "orders";
    "big_spenders" over "orders";
    "cart_abandoned" over "events";
    "browsers" over "events";
    "mail_readers" over "sends";
    "birthday" over "customers.profiles";
}

const fn option(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, pg_type: PgType::TEXT, default: Some(default) }
}

/// Tables, and the columns that are read from each.
const COLUMNS: &[(&str, &[&str])] = &[
    ("orders", &["total", "ordered_at"]),
    ("events", &["event", "occurred_at"]),
    ("sends", &["sent_at", "opened_at"]),
];

/// The procedure.
pub(crate) static PROCEDURES: &[Procedure] = &[Procedure {
    schema: "segments",
    name: "install_standard",
    parameters: &[
        option("orders", "'shop.orders'"),
        option("total", "'total'"),
        option("ordered_at", "'ordered_at'"),
        option("events", "'web.events'"),
        option("event", "'event'"),
        option("occurred_at", "'occurred_at'"),
        option("sends", "'mail.sends'"),
        option("sent_at", "'sent_at'"),
        option("opened_at", "'opened_at'"),
        option("rfm_names", "'public.rfm_names'"),
    ],
    columns: &[],
    comment: "creates segments that every shop knows: by recency, frequency and money, lapsed, new, birthday, cart abandoned; a table that is NULL is left out",
    kernel: |session, arguments| Box::pin(install(session, arguments)),
}];

/// What names of the files stand for.
type Names = BTreeMap<&'static str, Vec<String>>;

async fn install(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    let mut names = Names::new();
    for (index, parameter) in PROCEDURES[0].parameters.iter().enumerate() {
        if let Some(name) = text(&arguments, index) {
            names.insert(parameter.name, parts(name)?);
        }
    }
    let left_out = missing(session, &names).await?;
    for (name, table, script) in FILES {
        if left_out.contains(table) {
            continue;
        }
        if exists(session, &names, name).await? {
            let text = format!("relation \"{name}\" already exists, skipping");
            session.notice("NOTICE", "42P07", text);
            continue;
        }
        for statement in sql::parse::parse(script)? {
            run(session, named(statement, &names)?).await?;
        }
    }
    Ok(None)
}

/// Parts of a name given as text.
fn parts(name: &str) -> Result<Vec<String>> {
    match sql::parse::expression(name)? {
        Expr::Identifier(one) => Ok(vec![folded(&one)]),
        Expr::CompoundIdentifier(parts) => Ok(parts.iter().map(folded).collect()),
        _ => Err(Error::new("42602", "invalid name syntax")),
    }
}

/// The tables that segments cannot be over. Orders must be there.
async fn missing(session: &mut Session, names: &Names) -> Result<Vec<&'static str>> {
    let context = session.context().await?;
    let mut missing = Vec::new();
    for (table, columns) in COLUMNS {
        let found = match names.get(table) {
            Some(name) => context.find_relation(name)?,
            None => None,
        };
        let Some(Named::Relation(relation)) = found else {
            missing.push(*table);
            if let Some(name) = names.get(table) {
                let name = name.join(".");
                if *table == "orders" {
                    return Err(Error::new("42P01", format!("relation \"{name}\" does not exist"))
                        .with_hint("Name the table: CALL segments.install_standard(orders => 'schema.table'), or orders => NULL."));
                }
                let text =
                    format!("relation \"{name}\" does not exist, segments over it are skipped");
                session.notice("NOTICE", "00000", text);
            }
            continue;
        };
        let mut needed: Vec<(&str, String)> = vec![("customer_id", "customer_id".to_owned())];
        for column in *columns {
            let name = names.get(column).and_then(|parts| parts.last());
            needed.push((column, name.map_or_else(|| (*column).to_owned(), Clone::clone)));
        }
        for (option, column) in needed {
            if relation.column(&column).is_none() {
                let shown = names.get(table).map(|name| name.join(".")).unwrap_or_default();
                let text = format!("column \"{column}\" of relation \"{shown}\" does not exist");
                let error = Error::new("42703", text);
                return Err(match option {
                    "customer_id" => error.with_detail(
                        "Tables with identifiers have it: declare columns with types such as email.",
                    ),
                    option => error.with_hint(format!("Name the column: {option} => 'column'.")),
                });
            }
        }
    }
    let profiles = ["customers".to_owned(), "profiles".to_owned()];
    let born = match context.find_relation(&profiles)? {
        Some(Named::Relation(relation)) => relation.column("birth_date").is_some(),
        _ => false,
    };
    if !born {
        missing.push("customers.profiles");
        session.notice(
            "NOTICE",
            "00000",
            "no table has a column of type birth_date, segment \"birthday\" is skipped".to_owned(),
        );
    }
    Ok(missing)
}

async fn exists(session: &mut Session, names: &Names, name: &'static str) -> Result<bool> {
    let own = || vec!["segments".to_owned(), name.to_owned()];
    let parts = names.get(name).cloned().unwrap_or_else(own);
    Ok(session.context().await?.find_relation(&parts)?.is_some())
}

/// A statement of a file over the tables and columns that were named.
fn named(statement: Statement, names: &Names) -> Result<ast::Statement> {
    let Body::Other(body) = statement.body.as_ref() else {
        return Err(Error::internal("a segment's file has another statement in it"));
    };
    let mut body = body.as_ref().clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut body, &mut Namer { names });
    match &mut body {
        ast::Statement::Comment { object_name, .. } => rename(object_name, names),
        ast::Statement::CreateTable(create) => rename(&mut create.name, names),
        _ => {}
    }
    Ok(body)
}

/// Puts the name of a table in place of that of the file, also before a column.
fn rename(name: &mut ObjectName, names: &Names) {
    let parts = name_parts(name);
    let Some((table, rest)) = parts.split_first() else { return };
    if let Some(named) = names.get(table.as_str()) {
        let parts = named.iter().chain(rest).map(|part| Ident::with_quote('"', part));
        *name = ObjectName::from(parts.collect::<Vec<_>>());
    }
}

struct Namer<'a> {
    names: &'a Names,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        if relation.0.len() == 1 {
            rename(relation, self.names);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr
            && let Some(column) = self.names.get(name.value.as_str()).and_then(|parts| parts.last())
            && *column != name.value
        {
            *expr = Expr::Identifier(Ident::with_quote('"', column));
        }
        ControlFlow::Continue(())
    }
}

fn run(session: &mut Session, body: ast::Statement) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move { session.run_inner(body).await })
}
