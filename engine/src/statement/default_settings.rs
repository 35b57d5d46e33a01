//! `ALTER ROLE … SET`, `ALTER DATABASE … SET`: what sessions begin with (manual: sql-alterrole,
//! sql-alterdatabase).

use crate::error::Result;
use crate::session::Session;
use crate::session::settings::Settings;
use crate::sql::roles::SettingDefault;

/// The list of names and values after a change.
///
/// # Errors
/// 42704 for a setting that there is not, 22023 for a value that it does not take.
pub(super) fn changed(
    session: &Session,
    mut list: Vec<(String, String)>,
    change: &SettingDefault,
) -> Result<Vec<(String, String)>> {
    match change {
        SettingDefault::ResetAll => list.clear(),
        SettingDefault::Reset(name) => list.retain(|(one, _)| one != name),
        SettingDefault::Set(name, value) => {
            let value = match value {
                Some(value) => value.clone(),
                None => session.shared.settings.lock().raw(name).to_owned(),
            };
            // Tried out on settings that nobody uses.
            Settings::default().set(name, &value, false)?;
            list.retain(|(one, _)| one != name);
            list.push((name.clone(), value));
        }
    }
    Ok(list)
}
