//! `CREATE | ALTER | DROP ROLE`, `GRANT role TO role` (manual: user-manag).
//!
//! Roles are the data directory's, not a database's: they change at once, outside of the
//! session's transaction.

use clientele_catalog::Catalog;
use clientele_catalog::catalog::BOOTSTRAP_ROLE_OID;
use clientele_catalog::definition::{Grant, Object, Oid, Role, RoleSetting};
use clientele_udfs::input;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::default_settings;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::password;
use crate::planning::context::QueryContext;
use crate::planning::rights::kind_of;
use crate::session::Session;
use crate::sql::roles::{RoleOptions, RoleStatement, SettingDefault};

/// Runs a statement about roles.
pub(super) fn execute(session: &Session, statement: &RoleStatement) -> Result<String> {
    let tag = match statement {
        RoleStatement::Create { .. } => "CREATE ROLE",
        RoleStatement::Alter { .. }
        | RoleStatement::Rename { .. }
        | RoleStatement::Setting { .. } => "ALTER ROLE",
        RoleStatement::Drop { .. } => "DROP ROLE",
        RoleStatement::Membership { grant: true, .. } => "GRANT ROLE",
        RoleStatement::Membership { grant: false, .. } => "REVOKE ROLE",
    };
    session.writable(tag)?;
    match statement {
        RoleStatement::Create { name, options } => create(session, name, options)?,
        RoleStatement::Alter { name, options } => alter(session, name, options)?,
        RoleStatement::Rename { name, to } => rename(session, name, to)?,
        RoleStatement::Setting { name, database, change } => {
            set(session, name, database.as_deref(), change)?
        }
        RoleStatement::Drop { names, if_exists } => {
            for name in names {
                drop_role(session, name, *if_exists)?;
            }
        }
        RoleStatement::Membership { without: Some(what), .. } => {
            return Err(Error::unsupported(format_args!("GRANT role WITH {what}")));
        }
        RoleStatement::Membership { roles, members, grant, .. } => {
            for member in members {
                for role in roles {
                    membership(session, role, member, *grant)?;
                }
            }
        }
    }
    Ok(tag.to_owned())
}

/// The current role as it is now; the session's copy may be old.
fn current(session: &Session) -> Role {
    let fresh = session.engine.cluster.role(session.role.oid);
    fresh.unwrap_or_else(|| session.role.as_ref().clone())
}

fn existing(session: &Session, name: &str) -> Result<Role> {
    let found = match name {
        "current_user" | "current_role" => Some(current(session)),
        "session_user" => session.engine.cluster.role(session.shared.role),
        name => session.engine.role(name),
    };
    found.ok_or_else(|| Error::new("42704", format!("role \"{name}\" does not exist")))
}

fn denied(message: impl Into<String>, detail: impl Into<String>) -> Error {
    Error::new("42501", message).with_detail(detail)
}

fn create(session: &Session, name: &str, options: &RoleOptions) -> Result<()> {
    let current = current(session);
    if !current.superuser && !current.create_role {
        let detail = "Only roles with the CREATEROLE attribute may create roles.";
        return Err(denied("permission denied to create role", detail));
    }
    refuse_attributes(&current, options, "create")?;
    free_name(session, name)?;
    let mut role = Role {
        oid: session.engine.cluster.allocate_oid()?,
        name: name.to_owned(),
        password: None,
        login: false,
        superuser: false,
        create_database: false,
        create_role: false,
        inherit: true,
        connection_limit: -1,
        member_of: Vec::new(),
        comment: None,
        valid_until: None,
        settings: Vec::new(),
        bypasses_row_security: false,
    };
    apply(&mut role, options)?;
    for parent in &options.in_roles {
        let parent = existing(session, parent)?;
        may_grant(&current, &parent)?;
        role.member_of.push(parent.oid);
    }
    session.engine.cluster.put_role(role)?;
    Ok(())
}

/// Attributes that one must have to give (manual: sql-createrole).
fn refuse_attributes(current: &Role, options: &RoleOptions, verb: &str) -> Result<()> {
    if current.superuser {
        return Ok(());
    }
    let refused = [
        (options.superuser == Some(true), "SUPERUSER"),
        (options.create_database == Some(true) && !current.create_database, "CREATEDB"),
        (
            options.bypasses_row_security == Some(true) && !current.bypasses_row_security,
            "BYPASSRLS",
        ),
    ];
    match refused.into_iter().find(|(refused, _)| *refused) {
        None => Ok(()),
        Some((_, attribute)) => Err(denied(
            format!("permission denied to {verb} role"),
            format!(
                "Only roles with the {attribute} attribute may {} the {attribute} attribute.",
                if verb == "create" { "create roles with" } else { "change" }
            ),
        )),
    }
}

fn free_name(session: &Session, name: &str) -> Result<()> {
    if name.starts_with("pg_") {
        return Err(Error::new("42939", format!("role name \"{name}\" is reserved"))
            .with_detail("Role names starting with \"pg_\" are reserved."));
    }
    if matches!(name, "public" | "none" | "current_user" | "current_role" | "session_user") {
        return Err(Error::new("42939", format!("role name \"{name}\" is reserved")));
    }
    match session.engine.role(name) {
        Some(_) => Err(Error::new("42710", format!("role \"{name}\" already exists"))),
        None => Ok(()),
    }
}

fn apply(role: &mut Role, options: &RoleOptions) -> Result<()> {
    let flags = [
        (&mut role.login, options.login),
        (&mut role.superuser, options.superuser),
        (&mut role.create_database, options.create_database),
        (&mut role.create_role, options.create_role),
        (&mut role.inherit, options.inherit),
        (&mut role.bypasses_row_security, options.bypasses_row_security),
    ];
    for (flag, wanted) in flags {
        *flag = wanted.unwrap_or(*flag);
    }
    if let Some(limit) = options.connection_limit {
        role.connection_limit = limit;
    }
    if let Some(text) = &options.valid_until {
        role.valid_until = instant(text)?;
    }
    match &options.password {
        Some(Some(text)) if password::is_verifier(text) => role.password = Some(text.clone()),
        // An empty password could not be told from none.
        Some(Some(text)) if !text.is_empty() => role.password = Some(password::verifier(text)),
        Some(_) => role.password = None,
        None => {}
    }
    Ok(())
}

/// Microseconds since 1970; `None`: `infinity`.
fn instant(text: &str) -> Result<Option<i64>> {
    match input::parse(PgType::TIMESTAMPTZ, Some(text), &input::Context::default())? {
        ScalarValue::TimestampMicrosecond(Some(i64::MAX), _) => Ok(None),
        ScalarValue::TimestampMicrosecond(micros, _) => Ok(micros),
        _ => Ok(None),
    }
}

/// `ALTER ROLE name SET …`: one's own, or those of roles that one may change.
fn set(
    session: &Session,
    name: &str,
    database: Option<&str>,
    change: &SettingDefault,
) -> Result<()> {
    let current = current(session);
    let mut role = existing(session, name)?;
    if role.oid != current.oid {
        refuse_change(&current, &role, "alter")?;
    }
    let database = match database {
        None => 0,
        Some(name) => {
            let found = session.engine.cluster.databases().into_iter().find(|one| one.name == name);
            let missing = || Error::new("3D000", format!("database \"{name}\" does not exist"));
            found.ok_or_else(missing)?.oid
        }
    };
    let (here, mut settings): (Vec<RoleSetting>, Vec<RoleSetting>) =
        role.settings.into_iter().partition(|one| one.database == database);
    let here = here.into_iter().map(|one| (one.name, one.value)).collect();
    let here = default_settings::changed(session, here, change)?;
    settings.extend(here.into_iter().map(|(name, value)| RoleSetting { database, name, value }));
    role.settings = settings;
    session.engine.cluster.put_role(role)?;
    Ok(())
}

fn alter(session: &Session, name: &str, options: &RoleOptions) -> Result<()> {
    let current = current(session);
    let mut role = existing(session, name)?;
    let own_password = role.oid == current.oid && only_password(options);
    if !own_password {
        refuse_change(&current, &role, "alter")?;
        refuse_attributes(&current, options, "alter")?;
    }
    if role.oid == BOOTSTRAP_ROLE_OID && options.superuser == Some(false) {
        return Err(denied(
            "permission denied to alter role",
            "The bootstrap superuser must have the SUPERUSER attribute.",
        ));
    }
    apply(&mut role, options)?;
    session.engine.cluster.put_role(role)?;
    Ok(())
}

fn only_password(options: &RoleOptions) -> bool {
    options.password.is_some()
        && options.connection_limit.is_none()
        && options.valid_until.is_none()
        && [
            options.login,
            options.superuser,
            options.create_database,
            options.create_role,
            options.inherit,
            options.bypasses_row_security,
        ]
        .iter()
        .all(Option::is_none)
}

fn refuse_change(current: &Role, role: &Role, verb: &str) -> Result<()> {
    if current.superuser || current.create_role && !role.superuser {
        return Ok(());
    }
    let needed = if role.superuser { "SUPERUSER" } else { "CREATEROLE" };
    Err(denied(
        format!("permission denied to {verb} role"),
        format!("Only roles with the {needed} attribute may {verb} role \"{}\".", role.name),
    ))
}

/// Whether the current role may change another one's definition.
///
/// # Errors
/// 42501.
pub(super) fn may_alter(context: &QueryContext, role: &Role, verb: &str) -> Result<()> {
    refuse_change(&context.role, role, verb)
}

fn rename(session: &Session, name: &str, to: &str) -> Result<()> {
    let mut role = existing(session, name)?;
    if role.oid == session.shared.role {
        return Err(Error::new("0A000", "session user cannot be renamed"));
    }
    if role.oid == session.role.oid {
        return Err(Error::new("0A000", "current user cannot be renamed"));
    }
    refuse_change(&current(session), &role, "rename")?;
    free_name(session, to)?;
    to.clone_into(&mut role.name);
    session.engine.cluster.put_role(role)?;
    Ok(())
}

fn drop_role(session: &Session, name: &str, if_exists: bool) -> Result<()> {
    let role = match existing(session, name) {
        Ok(role) => role,
        Err(_) if if_exists => {
            session.notice("NOTICE", "00000", format!("role \"{name}\" does not exist, skipping"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    refuse_change(&current(session), &role, "drop")?;
    if role.oid == session.role.oid {
        return Err(Error::new("55006", "current user cannot be dropped"));
    }
    if role.oid == session.shared.role {
        return Err(Error::new("55006", "session user cannot be dropped"));
    }
    if role.oid == BOOTSTRAP_ROLE_OID {
        let text = format!("cannot drop role {name} because it is required by the database system");
        return Err(Error::new("2BP01", text));
    }
    let uses = uses(&session.engine, role.oid)?;
    if !uses.is_empty() {
        let text = format!("role \"{name}\" cannot be dropped because some objects depend on it");
        return Err(Error::new("2BP01", text).with_detail(uses.join("\n")));
    }
    for mut member in session.engine.cluster.roles() {
        if member.member_of.contains(&role.oid) {
            member.member_of.retain(|oid| *oid != role.oid);
            session.engine.cluster.put_role(member)?;
        }
    }
    session.engine.cluster.drop_role(role.oid)?;
    Ok(())
}

/// What a role owns or has privileges for, in every database, as DETAIL lists it.
fn uses(engine: &Engine, role: Oid) -> Result<Vec<String>> {
    let mut uses = Vec::new();
    for database in engine.cluster.databases() {
        let what = format!("database {}", database.name);
        note(&mut uses, role, (&what, database.owner, database.grants.as_deref()));
        let snapshot = engine.cluster.store(database.oid)?.snapshot();
        let mut inside = Vec::new();
        in_catalog(&snapshot.catalog, role, &mut inside);
        uses.extend(inside.into_iter().map(|line| format!("{line} in database {}", database.name)));
    }
    Ok(uses)
}

fn in_catalog(catalog: &Catalog, role: Oid, uses: &mut Vec<String>) {
    for object in catalog.stored_objects() {
        match &object {
            Object::Schema(one) => {
                note(
                    uses,
                    role,
                    (&format!("schema {}", one.name), one.owner, one.grants.as_deref()),
                );
            }
            Object::Domain(one) => {
                note(uses, role, (&format!("type {}", one.name), one.owner, None))
            }
            Object::DefaultPrivileges(one) => note(
                uses,
                role,
                ("default privileges on new objects", one.role, Some(one.grants.as_slice())),
            ),
            Object::ForeignServer(one) => note(
                uses,
                role,
                (&format!("server {}", one.name), one.owner, one.grants.as_deref()),
            ),
            Object::Function(one) => note(
                uses,
                role,
                (&format!("function {}", one.name), one.owner, one.grants.as_deref()),
            ),
            Object::Relation(one) => {
                let what = format!("{} {}", kind_of(one), one.name);
                note(uses, role, (&what, one.owner, one.grants.as_deref()));
                for column in one.live_columns() {
                    let what = format!("column {} of {what}", column.name);
                    note(uses, role, (&what, 0, Some(&column.grants)));
                }
            }
        }
    }
}

fn note(uses: &mut Vec<String>, role: Oid, (what, owner, grants): (&str, Oid, Option<&[Grant]>)) {
    if owner == role {
        uses.push(format!("owner of {what}"));
    } else if grants
        .unwrap_or_default()
        .iter()
        .any(|grant| grant.grantee == role || grant.grantor == role)
    {
        uses.push(format!("privileges for {what}"));
    }
}

fn may_grant(current: &Role, role: &Role) -> Result<()> {
    let allowed =
        current.superuser || current.create_role && !role.superuser && current.oid != role.oid;
    match allowed {
        true => Ok(()),
        false => Err(denied(
            format!("permission denied to grant role \"{}\"", role.name),
            match role.superuser {
                true => "Only roles with the SUPERUSER attribute may grant roles with the SUPERUSER attribute.".to_owned(),
                false => format!("Only roles with the ADMIN option on role \"{}\" may grant this role.", role.name),
            },
        )),
    }
}

fn membership(session: &Session, role: &str, member: &str, grant: bool) -> Result<()> {
    let current = current(session);
    let role = existing(session, role)?;
    let mut member = existing(session, member)?;
    may_grant(&current, &role).map_err(|mut error| {
        if !grant {
            error.message = format!("permission denied to revoke role \"{}\"", role.name);
        }
        error
    })?;
    let known = member.member_of.contains(&role.oid);
    if grant && known {
        let text = format!(
            "role \"{}\" has already been granted membership in role \"{}\" by role \"{}\"",
            member.name, role.name, current.name
        );
        session.notice("NOTICE", "42710", text);
        return Ok(());
    }
    if !grant && !known {
        let text = format!(
            "role \"{}\" has not been granted membership in role \"{}\" by role \"{}\"",
            member.name, role.name, current.name
        );
        session.notice("WARNING", "01000", text);
        return Ok(());
    }
    if grant && session.engine.cluster.is_member(role.oid, member.oid) {
        let text = format!("role \"{}\" is a member of role \"{}\"", role.name, member.name);
        return Err(Error::new("0LP01", text));
    }
    match grant {
        true => member.member_of.push(role.oid),
        false => member.member_of.retain(|oid| *oid != role.oid),
    }
    session.engine.cluster.put_role(member)?;
    Ok(())
}
