//! Options of foreign servers and tables: those of `parquet_fdw` that make sense here.

use std::path::Path;

use clientele_catalog::definition::ForeignTable;
use clientele_catalog::foreign::{FILENAME, ForeignOption, PARQUET_WRAPPER};
use clientele_catalog::privileges::predefined::READ_SERVER_FILES;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::sql::foreign::OptionChange;

/// What a server may be told.
pub(super) const OF_SERVER: &[&str] = &[];
/// What a table may be told.
pub(super) const OF_TABLE: &[&str] = &[FILENAME];

/// Refuses options that there are not, and those that stand twice.
///
/// # Errors
/// HV00D, 42710.
pub(super) fn check(options: &[ForeignOption], known: &[&str]) -> Result<()> {
    for (place, (name, _)) in options.iter().enumerate() {
        if options.iter().take(place).any(|(other, _)| other == name) {
            return Err(twice(name));
        }
        if !known.contains(&name.as_str()) {
            let hint = match known {
                [] => "There are no valid options in this context.".to_owned(),
                known => format!("Valid options in this context are: {}", known.join(", ")),
            };
            return Err(Error::new("HV00D", format!("invalid option \"{name}\"")).with_hint(hint));
        }
    }
    Ok(())
}

/// Options with changes in them.
///
/// # Errors
/// 42710 for one that is there, 42704 for one that is not.
pub(super) fn changed(
    before: &[ForeignOption],
    changes: &[OptionChange],
) -> Result<Vec<ForeignOption>> {
    let mut options = before.to_vec();
    for change in changes {
        let (OptionChange::Add((name, _))
        | OptionChange::Set((name, _))
        | OptionChange::Drop(name)) = change;
        let place = options.iter().position(|(one, _)| one == name);
        match (change, place) {
            (OptionChange::Add(option), None) => options.push(option.clone()),
            (OptionChange::Add(_), Some(_)) => return Err(twice(name)),
            (OptionChange::Set((_, value)), Some(place)) => {
                if let Some((_, known)) = options.get_mut(place) {
                    known.clone_from(value);
                }
            }
            (OptionChange::Drop(_), Some(place)) => drop(options.remove(place)),
            (_, None) => {
                return Err(Error::new("42704", format!("option \"{name}\" not found")));
            }
        }
    }
    Ok(options)
}

fn twice(name: &str) -> Error {
    Error::new("42710", format!("option \"{name}\" provided more than once"))
}

/// Refuses a table without files, or by who may not read files of the server.
///
/// # Errors
/// 42501, HV002, HV00D, 42602, 42710.
pub(super) fn check_table(context: &QueryContext, table: &ForeignTable) -> Result<()> {
    check(&table.options, OF_TABLE)?;
    if table.filenames().next().is_none() {
        let text = format!("{FILENAME} is required for {PARQUET_WRAPPER} foreign tables");
        return Err(Error::new("HV002", text));
    }
    table.filenames().try_for_each(|name| may_name_files(context, name))
}

/// Refuses who may not read files of the server, and paths that depend on where it runs.
///
/// # Errors
/// 42501, 42602.
pub(super) fn may_name_files(context: &QueryContext, path: &str) -> Result<()> {
    if !context.rights.owns(READ_SERVER_FILES) {
        let text = format!(
            "only superuser or a role with privileges of the pg_read_server_files role may \
             specify the {FILENAME} option of a {PARQUET_WRAPPER} table"
        );
        return Err(Error::new("42501", text));
    }
    match Path::new(path).is_absolute() {
        true => Ok(()),
        false => Err(Error::new("42602", "relative path not allowed for a foreign table")),
    }
}
