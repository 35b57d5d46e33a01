//! `CREATE | ALTER | DROP POLICY` (manual: sql-createpolicy).

use std::sync::Arc;

use clientele_catalog::definition::{Object, Oid, Policy, Relation};
use sqlparser::ast::{
    AlterPolicy, AlterPolicyOperation, CreatePolicy, CreatePolicyCommand, CreatePolicyType,
    DropPolicy, Expr, ObjectName, Owner,
};

use super::{check, owner};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::privacy::hide;
use crate::session::Session;
use crate::sql::place::folded;

/// Runs a CREATE POLICY.
pub(super) async fn create(session: &mut Session, create: &CreatePolicy) -> Result<String> {
    const TAG: &str = "CREATE POLICY";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut relation = table(&context, &create.table_name)?;
    let name = folded(&create.name);
    if relation.row_security.policies.iter().any(|one| one.name == name) {
        let table = &relation.name;
        let text = format!("policy \"{name}\" for table \"{table}\" already exists");
        return Err(Error::new("42710", text));
    }
    let command = match &create.command {
        None | Some(CreatePolicyCommand::All) => '*',
        Some(CreatePolicyCommand::Select) => 'r',
        Some(CreatePolicyCommand::Insert) => 'a',
        Some(CreatePolicyCommand::Update) => 'w',
        Some(CreatePolicyCommand::Delete) => 'd',
    };
    if command == 'a' && create.using.is_some() {
        return Err(Error::new("42601", "only WITH CHECK expression allowed for INSERT"));
    }
    if matches!(command, 'r' | 'd') && create.with_check.is_some() {
        return Err(Error::new("42601", "WITH CHECK cannot be applied to SELECT or DELETE"));
    }
    let policy = Policy {
        oid: session.store.allocate_oid(),
        name,
        command,
        permissive: create.policy_type != Some(CreatePolicyType::Restrictive),
        roles: roles(&context, create.to.as_deref())?,
        using: condition(&context, &relation, create.using.as_ref())?,
        with_check: condition(&context, &relation, create.with_check.as_ref())?,
    };
    relation.row_security.policies.push(policy);
    relation.row_security.policies.sort_by(|one, other| one.name.cmp(&other.name));
    put(session, relation).await?;
    Ok(TAG.to_owned())
}

/// Runs an ALTER POLICY.
pub(super) async fn alter(session: &mut Session, alter: &AlterPolicy) -> Result<String> {
    const TAG: &str = "ALTER POLICY";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut relation = table(&context, &alter.table_name)?;
    let shape = relation.clone();
    let name = folded(&alter.name);
    let found = relation.row_security.policies.iter_mut().find(|one| one.name == name);
    let policy = found.ok_or_else(|| missing(&name, &shape))?;
    match &alter.operation {
        AlterPolicyOperation::Rename { new_name } => policy.name = folded(new_name),
        AlterPolicyOperation::Apply { to, using, with_check } => {
            if to.is_some() {
                policy.roles = roles(&context, to.as_deref())?;
            }
            if using.is_some() {
                policy.using = condition(&context, &shape, using.as_ref())?;
            }
            if with_check.is_some() {
                policy.with_check = condition(&context, &shape, with_check.as_ref())?;
            }
        }
    }
    put(session, relation).await?;
    Ok(TAG.to_owned())
}

/// Runs a DROP POLICY.
pub(super) async fn drop_policy(session: &mut Session, drop: &DropPolicy) -> Result<String> {
    const TAG: &str = "DROP POLICY";
    session.writable(TAG)?;
    let context = session.context().await?;
    let mut relation = table(&context, &drop.table_name)?;
    let name = folded(&drop.name);
    let before = relation.row_security.policies.len();
    relation.row_security.policies.retain(|one| one.name != name);
    if relation.row_security.policies.len() == before {
        let error = missing(&name, &relation);
        if !drop.if_exists {
            return Err(error);
        }
        session.notice("NOTICE", "00000", format!("{}, skipping", error.message));
        return Ok(TAG.to_owned());
    }
    put(session, relation).await?;
    Ok(TAG.to_owned())
}

fn table(context: &QueryContext, name: &ObjectName) -> Result<Relation> {
    let relation = context.relation(name)?;
    if relation.foreign().is_some() {
        return Err(Error::new("42809", format!("\"{}\" is not a table", relation.name)));
    }
    let relation = super::rows::target(context, name, "change")?;
    context.must_own_relation(&relation)?;
    Ok(relation.as_ref().clone())
}

fn missing(name: &str, relation: &Relation) -> Error {
    let text = format!("policy \"{name}\" for table \"{}\" does not exist", relation.name);
    Error::new("42704", text)
}

fn roles(context: &QueryContext, to: Option<&[Owner]>) -> Result<Vec<Oid>> {
    let Some(to) = to else { return Ok(vec![0]) };
    let role = |one: &Owner| match one {
        Owner::Ident(name) if folded(name) == "public" => Ok(0),
        Owner::Ident(name) => owner::role_named(context, &folded(name)).map(|role| role.oid),
        Owner::CurrentRole | Owner::CurrentUser => Ok(context.role.oid),
        Owner::SessionUser => Ok(context.session.role),
    };
    to.iter().map(role).collect()
}

/// A condition that makes sense over the table's columns, as SQL.
fn condition(
    context: &Arc<QueryContext>,
    relation: &Relation,
    expr: Option<&Expr>,
) -> Result<Option<String>> {
    let Some(expr) = expr else { return Ok(None) };
    let text = expr.to_string();
    check::condition_of(context, relation, ("POLICY", &text))?;
    // A policy is tried on rows that are written, too.
    hide::refuse_hidden(context, relation, expr, None)?;
    Ok(Some(text))
}

async fn put(session: &mut Session, relation: Relation) -> Result<()> {
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(relation));
    Ok(())
}
