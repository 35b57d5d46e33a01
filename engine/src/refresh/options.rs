//! Options of views: `WITH (…)`, `SET (…)`, `RESET (…)`.

use clientele_catalog::definition::{Object, Relation, RelationKind};

use super::schedule::{OPTION, Schedule};
use crate::error::{Error, Result};
use crate::recommend;
use crate::session::Session;

/// Refuses options that a view cannot have.
///
/// # Errors
/// 22023.
pub(crate) fn check(view: &Relation) -> Result<()> {
    recommend::check(view)?;
    let materialized = matches!(view.kind, RelationKind::MaterializedView { .. });
    for (name, value) in view.options.iter().filter(|(name, _)| name == OPTION) {
        if !materialized {
            return Err(Error::new("22023", format!("unrecognized parameter \"{name}\""))
                .with_detail("A view is computed whenever it is read."));
        }
        Schedule::parse(value)?;
    }
    Ok(())
}

/// Sets options of a view, or resets them (`None`).
///
/// # Errors
/// As [`check`].
pub(crate) async fn change(
    session: &mut Session,
    view: &Relation,
    options: &[(String, Option<String>)],
) -> Result<()> {
    let mut changed = view.clone();
    for (name, value) in options {
        changed.options.retain(|(one, _)| one != name);
        changed.options.extend(value.as_ref().map(|value| (name.clone(), value.clone())));
    }
    check(&changed)?;
    let work = session.work().await?;
    work.lock().await.put(Object::Relation(changed));
    Ok(())
}
