//! `SET`, `RESET`, `SHOW`, `DISCARD` (manual: sql-set, sql-show, sql-discard).

use std::sync::Arc;

use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray};

use crate::api::{Column, Outcome, Rows, RowsTag};
use crate::error::{Error, Result};
use crate::session::notify::Notification;
use crate::session::{Session, settings};
use crate::sql::SettingStatement;

/// Columns of SHOW.
pub(super) fn columns(name: &str) -> Vec<Column> {
    let names: &[&str] = match name {
        "all" => &["name", "setting", "description"],
        _ => &[""],
    };
    let shown = settings::facts(name).and_then(|facts| facts.reported).unwrap_or(name);
    let column = |one: &&str| Column {
        name: if one.is_empty() { shown.to_owned() } else { (*one).to_owned() },
        pg_type: PgType::TEXT,
        table: 0,
        number: 0,
    };
    names.iter().map(column).collect()
}

/// Runs one of them.
pub(super) async fn execute(
    session: &mut Session,
    statement: &SettingStatement,
) -> Result<Outcome> {
    let tag = match statement {
        SettingStatement::Show(name) => {
            // Of what a transaction has, its defaults show outside of one.
            session.begin_implicit();
            return show(session, name);
        }
        SettingStatement::Set { name, values, local } => {
            set(session, name, values.as_deref(), *local)?;
            "SET"
        }
        SettingStatement::Transaction { modes, session: whole } => {
            if !whole && !session.in_block() {
                session.notice(
                    "WARNING",
                    "25P01",
                    "SET TRANSACTION can only be used in transaction blocks",
                );
                return Ok(Outcome::Done("SET".to_owned()));
            }
            session.set_modes(modes, *whole)?;
            "SET"
        }
        SettingStatement::Role(role) => {
            set_role(session, role.as_deref())?;
            "SET"
        }
        SettingStatement::Reset(name) => {
            reset(session, name.as_deref())?;
            "RESET"
        }
        SettingStatement::Discard(what) => return discard(session, what),
    };
    Ok(Outcome::Done(tag.to_owned()))
}

fn set(session: &mut Session, name: &str, values: Option<&[String]>, local: bool) -> Result<()> {
    if local && !session.in_block() {
        session.notice("WARNING", "25P01", "SET LOCAL can only be used in transaction blocks");
        return Ok(());
    }
    if name == "session_authorization" {
        let wanted = values.and_then(|values| values.first()).map(String::as_str);
        return set_authorization(session, wanted);
    }
    let Some(values) = values else { return reset(session, Some(name)) };
    let list = settings::facts(name).is_some_and(|facts| facts.kind == settings::Kind::Names);
    let value = match list {
        true => values.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", "),
        false => values.join(", "),
    };
    let change = session.shared.settings.lock().set(name, &value, local)?;
    session.report(change);
    Ok(())
}

/// A name in a list, quoted where it would fold otherwise.
fn quoted(name: &str) -> String {
    let plain =
        name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
    let listed = name.contains(',') || name.contains('"');
    match plain && !name.is_empty() || listed {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}

fn reset(session: &mut Session, name: Option<&str>) -> Result<()> {
    let changes = match name {
        None => session.shared.settings.lock().reset_all(),
        Some(name) => session.shared.settings.lock().reset(name)?.into_iter().collect(),
    };
    session.report(changes);
    Ok(())
}

fn set_role(session: &mut Session, role: Option<&str>) -> Result<()> {
    let login = session.shared.role_name.clone();
    let name = role.unwrap_or(&login);
    let Some(role) = session.engine.role(name) else {
        return Err(Error::new("22023", format!("role \"{name}\" does not exist")));
    };
    let own = session.engine.cluster.role(session.shared.role);
    let allowed =
        own.is_some_and(|own| own.superuser || session.engine.cluster.is_member(own.oid, role.oid));
    if !allowed {
        return Err(Error::new("42501", format!("permission denied to set role \"{name}\"")));
    }
    session.shared.settings.lock().force("is_superuser", if role.superuser { "on" } else { "off" });
    session.role = Arc::new(role);
    Ok(())
}

/// `SET SESSION AUTHORIZATION`: for superusers, and back to oneself.
fn set_authorization(session: &mut Session, role: Option<&str>) -> Result<()> {
    let superuser =
        session.engine.cluster.role(session.shared.role).is_some_and(|own| own.superuser);
    match role {
        Some(name) if name != session.shared.role_name && !superuser => {
            Err(Error::new("42501", "permission denied to set session authorization"))
        }
        role => set_role(session, role),
    }
}

fn show(session: &Session, name: &str) -> Result<Outcome> {
    let settings = session.shared.settings.lock();
    let rows: Vec<Vec<String>> = match name {
        "all" => settings
            .all()
            .into_iter()
            .map(|(name, value, comment)| vec![name, value, comment.to_owned()])
            .collect(),
        name => vec![vec![settings.get(name).ok_or_else(|| settings::unknown(name))?]],
    };
    drop(settings);
    text_rows(columns(name), &rows, "SHOW")
}

/// Rows of text as an outcome.
pub(super) fn text_rows(columns: Vec<Column>, rows: &[Vec<String>], tag: &str) -> Result<Outcome> {
    let arrays = (0..columns.len()).map(|index| {
        let values = rows.iter().map(|row| row.get(index).map(String::as_str));
        Arc::new(values.collect::<StringViewArray>()) as ArrayRef
    });
    let names = (0..columns.len()).map(|index| format!("c{index}"));
    let batch = RecordBatch::try_from_iter_with_nullable(
        names.zip(arrays).map(|(name, array)| (name, array, true)),
    )
    .map_err(Error::internal)?;
    let stream = Box::pin(futures::stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(Rows { columns, stream, tag: RowsTag::Fixed(tag.to_owned()) }))
}

fn discard(session: &mut Session, what: &str) -> Result<Outcome> {
    let tag = match what {
        "all" => {
            session.outside_block("DISCARD ALL")?;
            session.close_cursors();
            session.shared.channels.add(Notification::Unlisten(None))?;
            session.forget_all_named();
            set_role(session, None)?;
            reset(session, None)?;
            session.discard_temporary();
            session.shared.sequence_values.lock().clear();
            "DISCARD ALL"
        }
        "plans" => "DISCARD PLANS",
        "sequences" => {
            session.shared.sequence_values.lock().clear();
            "DISCARD SEQUENCES"
        }
        _ => {
            session.discard_temporary();
            "DISCARD TEMP"
        }
    };
    Ok(Outcome::Done(tag.to_owned()))
}
