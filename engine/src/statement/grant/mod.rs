//! `GRANT` and `REVOKE` of privileges (manual: sql-grant, ddl-priv).
//!
//! An object keeps what was granted as PostgreSQL's ACL does: one entry for each pair of grantee
//! and grantor. `None` stands for the defaults; the first change writes out what PUBLIC has.

mod acl;
mod defaults;
mod objects;

use clientele_catalog::definition::Oid;
use clientele_catalog::privileges::{self, Kind};
use sqlparser::ast::{
    Action, CascadeOption, Grant, GrantObjects, Grantee, GranteeName, GranteesType, Ident,
    Privileges, Revoke, Statement,
};

use self::acl::Change;
use super::{function, owner};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::sql::place::{folded, name_parts};

pub(super) use defaults::{built_in, default_privileges, grants_of_new};

/// Runs a GRANT.
pub(super) async fn grant(session: &mut Session, grant: &Grant) -> Result<String> {
    session.writable("GRANT")?;
    let context = session.context().await?;
    let mut request = Request::new(&context, &grant.privileges, &grant.grantees, true)?;
    request.option = grant.with_grant_option;
    if request.option && request.grantees.contains(&0) {
        return Err(Error::new("0LP01", "grant options can only be granted to roles"));
    }
    check_grantor(&context, grant.granted_by.as_ref().or(grant.as_grantor.as_ref()))?;
    apply(session, &request, grant.objects.as_ref()).await?;
    Ok("GRANT".to_owned())
}

/// Runs a REVOKE.
pub(super) async fn revoke(session: &mut Session, revoke: &Revoke) -> Result<String> {
    session.writable("REVOKE")?;
    let context = session.context().await?;
    let mut request = Request::new(&context, &revoke.privileges, &revoke.grantees, false)?;
    request.cascade = revoke.cascade == Some(CascadeOption::Cascade);
    check_grantor(&context, revoke.granted_by.as_ref())?;
    apply(session, &request, revoke.objects.as_ref()).await?;
    Ok("REVOKE".to_owned())
}

/// Runs a GRANT or REVOKE on foreign servers, which the parser takes for tables.
pub(super) async fn on_servers(
    session: &mut Session,
    statement: &Statement,
) -> Result<&'static str> {
    let tag = if matches!(statement, Statement::Grant(_)) { "GRANT" } else { "REVOKE" };
    session.writable(tag)?;
    let context = session.context().await?;
    let (request, objects) = Request::of(&context, statement)?;
    let Some(GrantObjects::Tables(names)) = objects else {
        return Err(Error::unsupported("privileges on these foreign servers"));
    };
    for name in names {
        objects::server(session, &context, &name_parts(name).join("."), &request).await?;
    }
    Ok(tag)
}

/// What is granted or revoked, and to or from whom.
struct Request {
    /// Letters with the columns they are for; `None`: ALL.
    privileges: Option<Vec<(char, Vec<String>)>>,
    /// OIDs; 0 is PUBLIC.
    grantees: Vec<Oid>,
    grant: bool,
    /// WITH GRANT OPTION.
    option: bool,
    cascade: bool,
}

impl Request {
    fn new(
        context: &QueryContext,
        privileges: &Privileges,
        grantees: &[Grantee],
        grant: bool,
    ) -> Result<Self> {
        let privileges = match privileges {
            Privileges::All { .. } => None,
            Privileges::Actions(actions) => {
                Some(actions.iter().map(letter).collect::<Result<_>>()?)
            }
        };
        let grantees = grantees.iter().map(|one| grantee(context, one)).collect::<Result<_>>()?;
        Ok(Self { privileges, grantees, grant, option: false, cascade: false })
    }

    /// What a GRANT or REVOKE says, and on which objects.
    fn of<'s>(
        context: &QueryContext,
        statement: &'s Statement,
    ) -> Result<(Self, Option<&'s GrantObjects>)> {
        match statement {
            Statement::Grant(one) => {
                let mut request = Self::new(context, &one.privileges, &one.grantees, true)?;
                request.option = one.with_grant_option;
                Ok((request, one.objects.as_ref()))
            }
            Statement::Revoke(one) => {
                let mut request = Self::new(context, &one.privileges, &one.grantees, false)?;
                request.cascade = one.cascade == Some(CascadeOption::Cascade);
                Ok((request, one.objects.as_ref()))
            }
            other => Err(Error::internal(format!("not a GRANT: {other}"))),
        }
    }

    /// The changes for an object of that kind, and those for its columns.
    fn changes(&self, kind: Kind) -> Result<(String, Vec<(String, char)>)> {
        let Some(privileges) = &self.privileges else {
            return Ok((kind.all().to_owned(), Vec::new()));
        };
        let (mut letters, mut of_columns) = (String::new(), Vec::new());
        for (letter, columns) in privileges {
            if !kind.all().contains(*letter) {
                let text = format!(
                    "invalid privilege type {} for {}",
                    privileges::name(*letter),
                    kind.word()
                );
                return Err(Error::new("0LP01", text));
            }
            if columns.is_empty() && !letters.contains(*letter) {
                letters.push(*letter);
            }
            if !columns.is_empty() && kind != Kind::Table {
                return Err(Error::new("0LP01", "column privileges are only valid for relations"));
            }
            of_columns.extend(columns.iter().map(|column| (column.clone(), *letter)));
        }
        Ok((letters, of_columns))
    }

    fn change<'a>(&'a self, letters: &'a str) -> Change<'a> {
        Change {
            letters,
            grantees: &self.grantees,
            grant: self.grant,
            option: self.option,
            cascade: self.cascade,
        }
    }
}

async fn apply(
    session: &mut Session,
    request: &Request,
    objects: Option<&GrantObjects>,
) -> Result<()> {
    let context = session.context().await?;
    let objects = objects.ok_or_else(|| Error::unsupported("GRANT without an object"))?;
    match objects {
        GrantObjects::Tables(names) | GrantObjects::Views(names) => {
            for name in names {
                let relation = context.relation(name)?;
                objects::relation(session, &context, (&relation, Kind::of(&relation)), request)
                    .await?;
            }
        }
        GrantObjects::Sequences(names) => {
            for name in names {
                let relation = context.relation(name)?;
                if Kind::of(&relation) != Kind::Sequence {
                    return Err(Error::new(
                        "42809",
                        format!("\"{}\" is not a sequence", relation.name),
                    ));
                }
                objects::relation(session, &context, (&relation, Kind::Sequence), request).await?;
            }
        }
        GrantObjects::AllTablesInSchema { schemas }
        | GrantObjects::AllViewsInSchema { schemas }
        | GrantObjects::AllMaterializedViewsInSchema { schemas } => {
            objects::all_in_schemas(session, &context, (schemas, Kind::Table), request).await?;
        }
        GrantObjects::AllSequencesInSchema { schemas } => {
            objects::all_in_schemas(session, &context, (schemas, Kind::Sequence), request).await?;
        }
        GrantObjects::Schemas(names) => {
            for name in names {
                objects::schema(session, &context, &name_parts(name).join("."), request).await?;
            }
        }
        GrantObjects::Databases(names) => {
            for name in names {
                objects::database(session, &context, &name_parts(name).join("."), request)?;
            }
        }
        GrantObjects::Function { name, arg_types } => {
            let function = function::described(&context, name, arg_types)?;
            objects::function(session, &context, &function, request).await?;
        }
        GrantObjects::AllFunctionsInSchema { schemas } => {
            for schema in schemas {
                let oid = context.schema(&name_parts(schema).join("."))?;
                for one in context.catalog().functions().filter(|one| one.schema == oid) {
                    objects::function(session, &context, one, request).await?;
                }
            }
        }
        other => return Err(Error::unsupported(format!("privileges on {other}"))),
    }
    Ok(())
}

fn letter(action: &Action) -> Result<(char, Vec<String>)> {
    let names = |columns: &Option<Vec<Ident>>| columns.iter().flatten().map(folded).collect();
    Ok(match action {
        Action::Select { columns } => ('r', names(columns)),
        Action::Insert { columns } => ('a', names(columns)),
        Action::Update { columns } => ('w', names(columns)),
        Action::References { columns } => ('x', names(columns)),
        Action::Delete => ('d', Vec::new()),
        Action::Truncate => ('D', Vec::new()),
        Action::Trigger => ('t', Vec::new()),
        Action::Usage => ('U', Vec::new()),
        Action::Create { obj_type: None } => ('C', Vec::new()),
        Action::Connect => ('c', Vec::new()),
        Action::Temporary => ('T', Vec::new()),
        Action::Execute { obj_type: None } => ('X', Vec::new()),
        other => {
            return Err(Error::new(
                "42601",
                format!("unrecognized privilege type \"{}\"", other.to_string().to_lowercase()),
            ));
        }
    })
}

fn grantee(context: &QueryContext, grantee: &Grantee) -> Result<Oid> {
    if matches!(grantee.grantee_type, GranteesType::Public) {
        return Ok(0);
    }
    let name = match &grantee.name {
        Some(GranteeName::ObjectName(name)) => name_parts(name).join("."),
        _ => return Err(Error::new("42601", "a role name is missing")),
    };
    match name.as_str() {
        "public" => Ok(0),
        name => owner::role_named(context, name).map(|role| role.oid),
    }
}

/// `GRANTED BY` must name the current role (manual: sql-grant).
fn check_grantor(context: &QueryContext, grantor: Option<&Ident>) -> Result<()> {
    let Some(grantor) = grantor else { return Ok(()) };
    match owner::role_named(context, &folded(grantor))?.oid == context.role.oid {
        true => Ok(()),
        false => Err(Error::new("0A000", "grantor must be current user")),
    }
}
