//! `pg_stat_activity`: sessions and what they do. PostgreSQL manual:
//! monitoring-pg-stat-activity-view.

use super::super::context::{Context, SessionFacts};
use super::super::system_relation::relation;
use crate::privileges::predefined::READ_ALL_STATS;

/// What others see who have not the session's role.
const HIDDEN: &str = "<insufficient privilege>";

relation! { (context) (session, open) in rows(context) => {
    datid: session.database,
    datname: database_name(context, session),
    pid: session.pid,
    usesysid: session.role,
    usename: context.role_name(session.role),
    application_name: &session.application_name,
    client_addr: session.client_address.as_deref().filter(|_| open),
    client_port: session.client_port.filter(|_| open),
    backend_start: Some(session.started_at).filter(|_| open),
    xact_start: session.transaction_started_at.filter(|_| open),
    query_start: session.query_started_at.filter(|_| open),
    state_change: session.state_changed_at.filter(|_| open),
    wait_event_type: session.wait_event_type.as_deref().filter(|_| open),
    wait_event: session.wait_event.as_deref().filter(|_| open),
    state: Some(session.state.as_str()).filter(|_| open),
    query: if open { session.query.as_str() } else { HIDDEN },
    backend_type: Some("client backend").filter(|_| open),
} }

/// Each session, and whether the current role may see what it does.
fn rows(context: &Context) -> Vec<(&SessionFacts, bool)> {
    let rights = context.own_rights();
    let open = |session: &SessionFacts| rights.owns(session.role) || rights.has(READ_ALL_STATS);
    context.sessions.iter().map(|session| (session, open(session))).collect()
}

/// Name of a session's database.
pub(crate) fn database_name<'a>(context: &'a Context, session: &SessionFacts) -> Option<&'a str> {
    context.databases.iter().find(|one| one.oid == session.database).map(|one| one.name.as_str())
}
