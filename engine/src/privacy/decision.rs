//! Who decides about columns, and why.

use chrono::Utc;
use clientele_catalog::privacy::Decision;
use clientele_catalog::privileges::predefined::PRIVACY_OFFICER;

use crate::api::Notice;
use crate::error::Error;
use crate::planning::context::QueryContext;

/// The setting that says why.
pub(crate) const REASON: &str = "clientele.reason";

impl QueryContext {
    /// Whether the role decides about columns: a member of `privacy_officer`, or a superuser.
    pub(crate) fn is_privacy_officer(&self) -> bool {
        self.rights.owns(PRIVACY_OFFICER)
    }
}

/// A decision of the current role, now, for the reason given or that of the session.
pub(crate) fn now(context: &QueryContext, reason: Option<&str>) -> Decision {
    let reason = reason.unwrap_or_else(|| context.settings.raw(REASON));
    // The log of decisions outlives people.
    let reason = (!reason.trim().is_empty())
        .then(|| context.store.without_identifiers(context.catalog(), reason));
    if reason.is_none() {
        let notice = Error::new("00000", "no reason is recorded for this privacy decision");
        let notice = notice.with_hint("SET clientele.reason = '…' before it.");
        let notice = Error { severity: "NOTICE", ..notice };
        context.session.notices.lock().push(Notice::Message(notice));
    }
    Decision { by: context.role.oid, at: Utc::now().timestamp_micros(), reason }
}

/// The refusal of who may not decide.
pub(crate) fn refused(what: &str) -> Error {
    Error::new("42501", format!("permission denied to {what}")).with_detail(
        "Only roles with privileges of the \"privacy_officer\" role may decide who sees personal data.",
    )
}
