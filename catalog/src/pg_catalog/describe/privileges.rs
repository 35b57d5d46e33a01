//! `has_table_privilege` and its family (manual: functions-info, table 9.69).
//!
//! Each takes the role whose rights are asked for, the object and a list of privileges such as
//! `SELECT, INSERT WITH GRANT OPTION`, and says whether *one* of them is held. Errors are the
//! message of SQLSTATE 22023 (unknown privilege); `None` is NULL: no such object.

use super::super::context::Context;
use super::super::facts::functions;
use super::super::facts::grants;
use super::super::facts::types;
use super::super::system_relation;
use crate::definition::{Oid, Relation, RelationKind};
use crate::privileges::{self, Access, Rights, is_member};

/// NULL, true, false, or the message of error 22023.
pub type Answer = Result<Option<bool>, String>;

/// A privilege letter, and whether the right to pass it on is asked for.
type Wanted = (char, bool);

/// `has_table_privilege`.
pub fn table(context: &Context, role: Oid, table: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "rawdDxt")?;
    let rights = context.rights(role);
    Ok(access(context, table).map(|access| permits(&access, &rights, &wanted)))
}

fn access(context: &Context, relation: Oid) -> Option<Access<'_>> {
    match context.catalog.relation_by_oid(relation) {
        Some(relation) => Some(Access::relation(relation)),
        None => system_relation::find_by_oid(relation).map(|one| Access::system(one.name)),
    }
}

fn permits(access: &Access<'_>, rights: &Rights, wanted: &[Wanted]) -> bool {
    wanted.iter().any(|(letter, grantable)| access.permits(rights, *letter, *grantable))
}

/// `has_column_privilege`; `None` when the table or the column does not exist.
pub fn column(context: &Context, role: Oid, table: Oid, column: i16, privileges: &str) -> Answer {
    let wanted = parse(privileges, "rawx")?;
    let rights = context.rights(role);
    let Some(relation) = context.catalog.relation_by_oid(table) else {
        return Ok(access(context, table).map(|access| permits(&access, &rights, &wanted)));
    };
    let Some(column) = relation.column_by_number(column).filter(|column| !column.dropped) else {
        return Ok(None);
    };
    let on_table = permits(&Access::relation(relation), &rights, &wanted);
    Ok(Some(on_table || permits(&Access::column(relation, column), &rights, &wanted)))
}

/// Number of a table's column, user's or system's.
pub fn column_number(context: &Context, table: Oid, column: &str) -> Option<i16> {
    if let Some(relation) = context.catalog.relation_by_oid(table) {
        return relation.column(column).map(|column| column.number);
    }
    let mut names = system_relation::find_by_oid(table)?.columns().map(|(name, ..)| name);
    i16::try_from(names.position(|name| name == column)? + 1).ok()
}

/// `has_any_column_privilege`.
pub fn any_column(context: &Context, role: Oid, table: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "rawx")?;
    let rights = context.rights(role);
    let on_columns = |relation: &Relation| {
        relation
            .live_columns()
            .any(|column| permits(&Access::column(relation, column), &rights, &wanted))
    };
    let Some(access) = access(context, table) else { return Ok(None) };
    let relation = context.catalog.relation_by_oid(table);
    Ok(Some(
        permits(&access, &rights, &wanted) || relation.is_some_and(|relation| on_columns(relation)),
    ))
}

/// `has_sequence_privilege`; `None` when it is no sequence.
pub fn sequence(context: &Context, role: Oid, sequence: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "rwU")?;
    let rights = context.rights(role);
    let found = context.catalog.relation_by_oid(sequence);
    let found = found.filter(|relation| matches!(relation.kind, RelationKind::Sequence(_)));
    Ok(found.map(|relation| permits(&Access::relation(relation), &rights, &wanted)))
}

/// `has_schema_privilege`.
pub fn schema(context: &Context, role: Oid, schema: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "CU")?;
    let rights = context.rights(role);
    let found = context.catalog.schema_by_oid(schema);
    Ok(found.map(|schema| permits(&Access::schema(schema), &rights, &wanted)))
}

/// `has_database_privilege`.
pub fn database(context: &Context, role: Oid, database: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "CcT")?;
    let rights = context.rights(role);
    let found = context.databases.iter().find(|one| one.oid == database);
    Ok(found.map(|database| permits(&Access::database(database), &rights, &wanted)))
}

/// `has_function_privilege`: everyone may execute what is built in; what a procedure does is checked
/// when it runs.
pub fn function(context: &Context, role: Oid, function: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "X")?;
    if functions::find_type_function(function).is_some() {
        return Ok(Some(true));
    }
    Ok(functions::find(context, function).map(|found| match &found.defined {
        Some(defined) => permits(&Access::function(defined), &context.rights(role), &wanted),
        None => true,
    }))
}

/// `acldefault`: the privileges on a new object of a kind, PUBLIC's first; `None` for a letter that
/// is no kind. Also for kinds that there are none of here.
pub fn default_acl(context: &Context, kind: &str, owner: Oid) -> Option<Vec<String>> {
    let (public, own) = match kind {
        "c" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        "p" => ("", "sA"),
        _ => return None,
    };
    let entries = [(0, public), (owner, own)];
    let items = entries.iter().filter(|(_, privileges)| !privileges.is_empty());
    Some(
        items.map(|(grantee, all)| grants::default_item(context, (*grantee, owner), all)).collect(),
    )
}

/// An `aclitem` with the OIDs of its roles in place of their names, `0` for PUBLIC; `None` for what
/// is none.
pub fn acl_item_by_oid(context: &Context, item: &str) -> Option<String> {
    let (mut quoted, mut equals, mut slash) = (false, None, None);
    for (at, letter) in item.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '=' if !quoted && equals.is_none() => equals = Some(at),
            '/' if !quoted => slash = Some(at),
            _ => {}
        }
    }
    let (equals, slash) = (equals?, slash?);
    let role = |name: &str| {
        let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = bare.map_or_else(|| name.to_owned(), |name| name.replace("\"\"", "\""));
        match name.is_empty() {
            true => Some(0),
            false => context.role_named(&name).map(|role| role.oid),
        }
    };
    let (grantee, grantor) = (role(item.get(..equals)?)?, role(item.get(slash + 1..)?)?);
    Some(format!("{grantee}={}/{grantor}", item.get(equals + 1..slash)?))
}

/// `has_type_privilege`: everyone may use types, and domains unless it was revoked.
pub fn usage_of_type(context: &Context, role: Oid, type_oid: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "U")?;
    let Some(domain) = context.catalog.domain_by_oid(type_oid) else {
        return Ok(types::find(type_oid).map(|_| true));
    };
    Ok(Some(permits(&Access::domain(domain), &context.rights(role), &wanted)))
}

/// `has_server_privilege`.
pub fn server(context: &Context, role: Oid, server: Oid, privileges: &str) -> Answer {
    let wanted = parse(privileges, "U")?;
    let server = context.catalog.server_by_oid(server);
    Ok(server.map(|one| permits(&Access::server(one), &context.rights(role), &wanted)))
}

/// `has_foreign_data_wrapper_privilege`: the one that there is belongs to the system.
pub fn wrapper(context: &Context, role: Oid, privileges: &str) -> Answer {
    parse(privileges, "U")?;
    Ok(Some(context.rights(role).superuser))
}

/// `has_tablespace_privilege`: files are laid by the server alone, so only superusers choose where.
pub fn tablespace(context: &Context, role: Oid, privileges: &str) -> Answer {
    parse(privileges, "C")?;
    Ok(Some(context.rights(role).superuser))
}

/// `has_language_privilege`: `sql` is trusted, `c` and `internal` are not (manual: sql-createlanguage).
pub fn language(context: &Context, role: Oid, language: &str, privileges: &str) -> Answer {
    parse(privileges, "U")?;
    let trusted = matches!(language, "sql" | "14");
    Ok(Some(trusted || context.rights(role).superuser))
}

/// `pg_has_role(role, of, 'MEMBER' | 'USAGE' [WITH ADMIN OPTION])`.
pub fn has_role(context: &Context, role: Oid, of: Oid, privileges: &str) -> Answer {
    let rights = context.rights(role);
    let mut held = false;
    for privilege in privileges.split(',') {
        let text = privilege.trim().to_uppercase();
        let (name, admin) = match text.split_once(" WITH ") {
            Some((name, "ADMIN OPTION" | "GRANT OPTION")) => (name, true),
            Some(_) => return Err(unrecognized(privilege)),
            None => (text.as_str(), false),
        };
        held |= match name {
            _ if admin => rights.superuser,
            "USAGE" => rights.owns(of),
            "MEMBER" | "SET" => rights.superuser || is_member(role, of, |oid| context.role(oid)),
            _ => return Err(unrecognized(privilege)),
        };
    }
    Ok(context.role(of).map(|_| held))
}

/// The letters of a list of privileges, each one of `allowed`.
fn parse(privileges: &str, allowed: &str) -> Result<Vec<Wanted>, String> {
    privileges
        .split(',')
        .map(|privilege| {
            let text = privilege.trim().to_uppercase();
            let (name, grantable) = match text.strip_suffix("WITH GRANT OPTION") {
                Some(name) => (name.trim_end(), true),
                None => (text.as_str(), false),
            };
            let letter = privileges::letter(name).filter(|letter| allowed.contains(*letter));
            letter.map(|letter| (letter, grantable)).ok_or_else(|| unrecognized(privilege))
        })
        .collect()
}

fn unrecognized(privilege: &str) -> String {
    format!("unrecognized privilege type: \"{}\"", privilege.trim())
}
