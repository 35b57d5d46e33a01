//! Who may act on personal data: superusers and members of `privacy_officer`.

use crate::error::{Error, Result};
use crate::session::Session;

/// The role whose members decide about personal data.
const ROLE: &str = "privacy_officer";

/// Refuses others.
///
/// # Errors
/// 42501.
pub(super) fn must_be_officer(session: &Session, procedure: &str) -> Result<()> {
    let cluster = &session.engine.cluster;
    let officers = cluster.role_by_name(ROLE);
    let is_officer = officers.is_some_and(|one| cluster.is_member(session.role.oid, one.oid));
    if session.role.superuser || is_officer {
        return Ok(());
    }
    Err(Error::new("42501", format!("permission denied for procedure {procedure}"))
        .with_detail(format!("Only superusers and members of role \"{ROLE}\" may call it.")))
}
