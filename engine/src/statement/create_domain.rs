//! `CREATE DOMAIN` (manual: sql-createdomain).
//!
//! A domain over another inherits its meaning: `CREATE DOMAIN crm_id AS customer_key` is an
//! identifier in a name space of its own.

use std::ops::ControlFlow;
use std::sync::Arc;

use clientele_catalog::definition::{Domain, Object};
use datafusion::arrow::array::new_null_array;
use sqlparser::ast::{
    CheckConstraint, CreateDomain, Expr, Ident, TableConstraint, UnaryOperator, VisitMut,
    VisitorMut,
};

use super::alter_table::existing_rows;
use super::{check, rows};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::types;
use crate::session::Session;
use crate::sql::place::{folded, refuse_query};

/// Runs a CREATE DOMAIN.
pub(super) async fn execute(session: &mut Session, create: &CreateDomain) -> Result<String> {
    define(session, create, false).await
}

/// A CREATE DOMAIN, with NOT NULL or without.
pub(super) async fn define(
    session: &mut Session,
    create: &CreateDomain,
    not_null: bool,
) -> Result<String> {
    const TAG: &str = "CREATE DOMAIN";
    session.writable(TAG)?;
    let context = session.context().await?;
    let (schema, name) = context.creation_target(&create.name)?;
    if context.catalog().domain(schema, &name).is_some()
        || context.catalog().relation(schema, &name).is_some()
    {
        return Err(Error::new("42710", format!("type \"{name}\" already exists")));
    }
    let base = types::named_type(&create.data_type, &context)?;
    if types::serial(&create.data_type.to_string().to_lowercase()).is_some() {
        return Err(Error::new(
            "42809",
            format!("\"{}\" is not a valid base type for a domain", create.data_type),
        ));
    }
    let mut domain = Domain {
        oid: session.store.allocate_oid(),
        schema,
        name,
        owner: context.role.oid,
        pg_type: base.pg_type,
        parent: base.domain.as_ref().map(|parent| parent.oid),
        not_null,
        default: base.domain.as_ref().and_then(|parent| parent.default.clone()),
        checks: Vec::new(),
        labels: Vec::new(),
        comment: None,
        grants: None,
    };
    if let Some(default) = &create.default {
        check::default_value(&context, (&domain.name, domain.pg_type), default)?;
        domain.default = Some(default.to_string());
    }
    for constraint in &create.constraints {
        add_check(&context, &mut domain, constraint)?;
    }
    let work = session.work().await?;
    work.lock().await.put(Object::Domain(domain));
    Ok(TAG.to_owned())
}

/// `ALTER DOMAIN … ADD CONSTRAINT`: the values that are there must meet it.
pub(super) async fn add(
    session: &Session,
    context: &Arc<QueryContext>,
    domain: &mut Domain,
    (name, condition): (Option<&String>, &Expr),
) -> Result<()> {
    let name = name.map(|name| Ident::with_quote('"', name));
    let check = CheckConstraint { name, expr: Box::new(condition.clone()), enforced: None };
    add_check(context, domain, &TableConstraint::Check(check))?;
    for (relation, column) in existing_rows::columns_of(context.catalog(), domain.oid) {
        let mut broken = Expr::Nested(Box::new(condition.clone()));
        let _ = VisitMut::visit(&mut broken, &mut OfColumn(&column));
        let broken = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(broken) };
        if existing_rows::meets(session, context, &relation, broken).await? {
            let text = format!(
                "column \"{column}\" of table \"{}\" contains values that violate the new constraint",
                relation.name
            );
            return Err(Error::new("23514", text));
        }
    }
    Ok(())
}

/// Puts a column in place of VALUE.
struct OfColumn<'a>(&'a str);

impl VisitorMut for OfColumn<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(name) if folded(name) == "value") {
            *expr = Expr::Identifier(rows::quoted(self.0));
        }
        ControlFlow::Continue(())
    }
}

fn add_check(
    context: &Arc<QueryContext>,
    domain: &mut Domain,
    constraint: &TableConstraint,
) -> Result<()> {
    let TableConstraint::Check(check) = constraint else {
        return Err(Error::new(
            "42601",
            format!("{} constraints not possible for domains", kind_of(constraint)),
        ));
    };
    let taken = |domain: &Domain, name: &str| domain.checks.iter().any(|(one, _)| one == name);
    let name = match &check.name {
        Some(name) if taken(domain, &folded(name)) => {
            let text = format!(
                "constraint \"{}\" for domain \"{}\" already exists",
                folded(name),
                domain.name
            );
            return Err(Error::new("42710", text));
        }
        Some(name) => folded(name),
        None => {
            let wanted = format!("{}_check", domain.name);
            let numbered = (1..).map(|number| format!("{wanted}{number}"));
            let mut names = std::iter::once(wanted.clone()).chain(numbered);
            names.find(|name| !taken(domain, name)).unwrap_or(wanted)
        }
    };
    refuse_query(&check.expr, "check constraint")?;
    let expression = check.expr.to_string();
    makes_sense(context, domain, (&name, &expression))?;
    domain.checks.push((name, expression));
    Ok(())
}

/// Evaluates a check over NULL: names and types are wrong now or never.
fn makes_sense(
    context: &Arc<QueryContext>,
    domain: &Domain,
    (name, expression): (&str, &str),
) -> Result<()> {
    let checks = vec![(name.to_owned(), expression.to_owned())];
    let trial = Domain { checks, parent: None, not_null: false, ..domain.clone() };
    match check::of_domain(context, &trial, &new_null_array(&domain.pg_type.arrow(), 1)) {
        // Only its value for NULL: a check may refuse that.
        Err(error) if error.sqlstate == "23514" => Ok(()),
        result => result,
    }
}

fn kind_of(constraint: &TableConstraint) -> &'static str {
    match constraint {
        TableConstraint::PrimaryKey(_) => "primary key",
        TableConstraint::ForeignKey(_) => "foreign key",
        _ => "unique",
    }
}
