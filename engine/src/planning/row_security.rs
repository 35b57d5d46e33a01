//! Row-level security: which rows of a table a role sees, and which it may write (manual:
//! ddl-rowsecurity).
//!
//! The policies' conditions stand in the plan directly above the scan, under everything that the
//! statement says, so that no predicate sees a row that its role may not.

use clientele_catalog::definition::{Oid, Policy, Relation};
use clientele_catalog::privileges::Rights;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::Expr;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};

use super::context::QueryContext;
use super::provider::Names;
use crate::error::{Error, Result};
use crate::sql;

/// The policies of a table that hold for a role and a command; `None`: it is not restricted.
fn of_role<'a>(relation: &'a Relation, rights: &Rights, command: char) -> Option<Vec<&'a Policy>> {
    let security = &relation.row_security;
    let own = rights.owns(relation.owner) && !security.forced;
    if !security.enabled || rights.superuser || rights.bypasses_row_security || own {
        return None;
    }
    let concerned = |policy: &&Policy| {
        let command = policy.command == '*' || policy.command == command;
        command && policy.roles.iter().any(|role| *role == 0 || rights.has(*role))
    };
    Some(security.policies.iter().filter(concerned).collect())
}

/// The condition of some policies: one permissive must hold, and every restrictive one.
fn combined(policies: &[&Policy], text: impl Fn(&Policy) -> Option<String>) -> String {
    let mut permissive = Vec::new();
    let mut restrictive = Vec::new();
    for policy in policies {
        let condition = format!("({})", text(policy).unwrap_or_else(|| "true".to_owned()));
        match policy.permissive {
            true => permissive.push(condition),
            false => restrictive.push(condition),
        }
    }
    let some = match permissive.is_empty() {
        true => "false".to_owned(),
        false => format!("({})", permissive.join(" OR ")),
    };
    restrictive.insert(0, some);
    restrictive.join(" AND ")
}

/// The condition on the rows that a scan gives: those of SELECT and, for the target of a change,
/// those of the change as well. `None`: all rows.
///
/// # Errors
/// What is wrong with a policy.
pub fn condition(
    names: &Names<'_>,
    relation: &Relation,
    (responsible, change): (Option<Oid>, Option<char>),
    (qualifier, schema): (&TableReference, &Schema),
) -> Result<Option<Expr>> {
    let context = names.context();
    // What the engine does with rows that it shows nobody (`ALTER TABLE`) is done with all.
    if !relation.row_security.enabled || context.clear {
        return Ok(None);
    }
    let of_owner =
        responsible.map(|role| context.engine.cluster.rights(role, context.database.oid));
    let rights = of_owner.as_ref().unwrap_or(&context.rights);
    let mut whole: Option<Expr> = None;
    for command in std::iter::once('r').chain(change) {
        let Some(policies) = of_role(relation, rights, command) else { return Ok(None) };
        let text = combined(&policies, |policy| policy.using.clone());
        let mut tree = sql::parse::expression(&text)?;
        sql::rewrite::rewrite_expression(&mut tree)?;
        let schema = DFSchema::try_from_qualified_schema(qualifier.clone(), schema)?;
        let options = ParserOptions::new().with_parse_float_as_decimal(true);
        let expr = SqlToRel::new_with_options(names, options)
            .sql_to_expr(tree, &schema, &mut PlannerContext::new())
            .map_err(|error| Error::from_datafusion(&error))?;
        whole = Some(match whole {
            Some(before) => before.and(expr),
            None => expr,
        });
    }
    Ok(whole)
}

/// What new rows of a command (`a` INSERT, `w` UPDATE) must satisfy, as SQL; `None`: nothing.
pub fn of_new_rows(context: &QueryContext, relation: &Relation, command: char) -> Option<String> {
    let policies = of_role(relation, &context.rights, command)?;
    let text = |policy: &Policy| policy.with_check.clone().or_else(|| policy.using.clone());
    Some(format!("({}) IS TRUE", combined(&policies, text)))
}
