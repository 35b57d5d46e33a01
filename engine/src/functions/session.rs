//! Functions over the session (manual: functions-info, functions-admin).

use clientele_catalog::definition::Oid;
use clientele_catalog::privileges::predefined::SIGNAL_BACKEND;
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::row_kernel::{Kernel, Signature, number, optional_text, stable, text, text_value};
use crate::api::Notice;
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::notify::Notification;
use crate::session::settings::{self, SERVER_VERSION};
use crate::session::shared::StopReason;

const VOLATILE_BOOL: Signature =
    Signature { least: 1, most: 2, result: PgType::BOOL, volatile: true, strict: true };

const NOTIFY: Signature =
    Signature { least: 2, most: 2, result: PgType::VOID, volatile: true, strict: false };

macro_rules! kernels {
    ($($name:literal $arguments:literal $signature:expr, $call:expr, $comment:literal;)*) => {
        /// Every function over the session.
        pub(super) static KERNELS: &[Kernel] = &[$(Kernel {
            name: $name, arguments: $arguments, signature: $signature, comment: $comment, call: $call,
        }),*];
    };
}

kernels! {
    "version" "" stable(0, 0, PgType::TEXT), |_, _| Ok(text_value(version())), "PostgreSQL version information";
    "current_user" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.role.name.clone())), "current user name";
    "user" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.role.name.clone())), "current user name";
    "current_role" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.role.name.clone())), "current user name";
    "session_user" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.session.role_name.clone())), "session user name";
    "current_database" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.database.name.clone())), "name of the current database";
    "current_catalog" "" stable(0, 0, PgType::NAME), |context, _| Ok(text_value(context.database.name.clone())), "name of the current database";
    "current_schema" "" stable(0, 0, PgType::NAME), |context, _| Ok(optional_text(schemas(context, false).into_iter().next())), "current schema name";
    "current_schemas" "boolean" stable(1, 1, PgType::NAME_ARRAY), current_schemas, "current schema search list";
    "setseed" "double precision" Signature { least: 1, most: 1, result: PgType::VOID, volatile: true, strict: true }, super::random::seed, "set random seed";
    "pg_notify" "text, text" NOTIFY, notify, "send a notification event";
    "pg_backend_pid" "" stable(0, 0, PgType::INT4), |context, _| Ok(ScalarValue::Int32(Some(context.session.pid))), "statistics: current backend PID";
    "getdatabaseencoding" "" stable(0, 0, PgType::NAME), |_, _| Ok(text_value("UTF8")), "encoding name of current database";
    "pg_client_encoding" "" stable(0, 0, PgType::NAME), |_, _| Ok(text_value("UTF8")), "encoding name of current database";
    "pg_is_in_recovery" "" stable(0, 0, PgType::BOOL), |_, _| Ok(ScalarValue::Boolean(Some(false))), "true if server is in recovery";
    "pg_is_wal_replay_paused" "" stable(0, 0, PgType::BOOL), |_, _| Err(Error::new("55000", "recovery is not in progress")), "true if wal replay is paused";
    "pg_blocking_pids" "integer" stable(1, 1, PgType::plain(1007)), |_, _| Ok(nobody()), "get array of PIDs of sessions blocking specified backend PID from acquiring a heavyweight lock";
    "pg_postmaster_start_time" "" stable(0, 0, PgType::TIMESTAMPTZ), |context, _| Ok(instant(context.engine.started_at)), "postmaster start time";
    "pg_conf_load_time" "" stable(0, 0, PgType::TIMESTAMPTZ), |context, _| Ok(instant(context.engine.started_at)), "configuration load time";
    "txid_current" "" stable(0, 0, PgType::INT8), transaction_number, "get current transaction ID";
    "pg_current_xact_id" "" stable(0, 0, PgType::INT8), transaction_number, "get current transaction ID";
    "inet_client_addr" "" stable(0, 0, PgType::INET), |context, _| Ok(optional_text(context.session.peer.map(|peer| peer.ip().to_string()))), "inet address of the client";
    "inet_client_port" "" stable(0, 0, PgType::INT4), |context, _| Ok(ScalarValue::Int32(context.session.peer.map(|peer| peer.port().into()))), "client's port number for this connection";
    "inet_server_addr" "" stable(0, 0, PgType::INET), |_, _| Ok(ScalarValue::Utf8View(None)), "inet address of the server";
    "inet_server_port" "" stable(0, 0, PgType::INT4), |_, _| Ok(ScalarValue::Int32(None)), "server's port number for this connection";
    "current_setting" "text, boolean" Signature { least: 1, most: 2, result: PgType::TEXT, volatile: true, strict: true }, current_setting, "SHOW X as a function";
    "set_config" "text, text, boolean" Signature { least: 3, most: 3, result: PgType::TEXT, volatile: true, strict: true }, set_config, "SET X as a function";
    "pg_cancel_backend" "integer" VOLATILE_BOOL, |context, values| stop(context, values, StopReason::Request), "cancel a server process' current query";
    "pg_terminate_backend" "integer, bigint" VOLATILE_BOOL, |context, values| stop(context, values, StopReason::Termination), "terminate a server process";
    "pg_advisory_lock" "bigint" Signature { least: 1, most: 2, result: PgType::VOID, volatile: true, strict: true }, |_, _| Ok(text_value("")), "accepted; there is one process";
    "pg_advisory_unlock" "bigint" VOLATILE_BOOL, |_, _| Ok(ScalarValue::Boolean(Some(true))), "accepted; there is one process";
    "pg_try_advisory_lock" "bigint" VOLATILE_BOOL, |_, _| Ok(ScalarValue::Boolean(Some(true))), "accepted; there is one process";
    "pg_advisory_unlock_all" "" Signature { least: 0, most: 0, result: PgType::VOID, volatile: true, strict: true }, |_, _| Ok(text_value("")), "release all advisory locks";
    "pg_my_temp_schema" "" stable(0, 0, PgType::OID), |_, _| Ok(ScalarValue::Int64(Some(0))), "OID of the session's temporary schema";
    "pg_is_other_temp_schema" "oid" stable(1, 1, PgType::BOOL), |_, _| Ok(ScalarValue::Boolean(Some(false))), "whether a schema is another session's temporary one";
    "now" "" stable(0, 0, PgType::TIMESTAMPTZ), |context, _| Ok(instant(context.started_at)), "current transaction time";
    "transaction_timestamp" "" stable(0, 0, PgType::TIMESTAMPTZ), |context, _| Ok(instant(context.started_at)), "current transaction time";
    "statement_timestamp" "" stable(0, 0, PgType::TIMESTAMPTZ), |_, _| Ok(instant(chrono::Utc::now())), "current statement time";
    "current_timestamp" "" stable(0, 0, PgType::TIMESTAMPTZ), |context, _| Ok(instant(context.started_at)), "current transaction time";
    "localtimestamp" "" stable(0, 0, PgType::TIMESTAMP), local_timestamp, "current transaction time in the session's time zone";
    "localtime" "" stable(0, 0, PgType::TIME), local_time, "current transaction time of day in the session's time zone";
    "current_date" "" stable(0, 0, PgType::DATE), current_date, "current transaction date in the session's time zone";
}

fn version() -> String {
    let number = SERVER_VERSION.split(' ').next().unwrap_or_default();
    let product = SERVER_VERSION.split_once(' ').map_or("", |(_, product)| product);
    format!(
        "PostgreSQL {number} {product} on {}, DataFusion {}",
        std::env::consts::ARCH,
        datafusion::DATAFUSION_VERSION
    )
}

fn schemas(context: &QueryContext, implicit: bool) -> Vec<String> {
    let system = implicit.then(|| "pg_catalog".to_owned());
    let named = context.search_path.iter();
    let named =
        named.filter_map(|oid| context.catalog().schema_by_oid(*oid)).map(|one| one.name.clone());
    system.into_iter().chain(named).collect()
}

fn current_schemas(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let implicit = matches!(values.first(), Some(ScalarValue::Boolean(Some(true))));
    let names: Vec<ScalarValue> = schemas(context, implicit).into_iter().map(text_value).collect();
    let field = PgType::NAME.field("item", true);
    let list = ScalarValue::new_list(&names, field.data_type(), true);
    Ok(ScalarValue::List(list))
}

/// Writers do not wait for one another.
fn nobody() -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list(&[], &PgType::INT4.arrow(), true))
}

/// An instant as `timestamptz`.
fn instant(at: chrono::DateTime<chrono::Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
}

fn local(context: &QueryContext) -> chrono::NaiveDateTime {
    context.started_at.with_timezone(&context.settings.time_zone()).naive_local()
}

fn local_timestamp(context: &QueryContext, _: &[ScalarValue]) -> Result<ScalarValue> {
    let micros = local(context).and_utc().timestamp_micros();
    Ok(ScalarValue::TimestampMicrosecond(Some(micros), None))
}

fn local_time(context: &QueryContext, _: &[ScalarValue]) -> Result<ScalarValue> {
    let micros = local(context).and_utc().timestamp_micros().rem_euclid(86_400_000_000);
    Ok(ScalarValue::Time64Microsecond(Some(micros)))
}

fn current_date(context: &QueryContext, _: &[ScalarValue]) -> Result<ScalarValue> {
    let days = local(context).and_utc().timestamp().div_euclid(86_400);
    Ok(ScalarValue::Date32(i32::try_from(days).ok()))
}

fn transaction_number(context: &QueryContext, _: &[ScalarValue]) -> Result<ScalarValue> {
    Ok(ScalarValue::Int64(i64::try_from(context.snapshot.version + 1).ok()))
}

fn current_setting(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let name = text(values, 0)?;
    let missing_ok = matches!(values.get(1), Some(ScalarValue::Boolean(Some(true))));
    match context.session.settings.lock().get(name) {
        Some(value) => Ok(text_value(value)),
        None if missing_ok => Ok(ScalarValue::Utf8View(None)),
        None => Err(settings::unknown(name)),
    }
}

fn set_config(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (name, value) = (text(values, 0)?, text(values, 1)?);
    let local = matches!(values.get(2), Some(ScalarValue::Boolean(Some(true))));
    let mut settings = context.session.settings.lock();
    if let Some((name, value)) = settings.set(name, value, local)? {
        context.session.notices.lock().push(Notice::Parameter(name, value));
    }
    Ok(optional_text(settings.get(name)))
}

fn notify(context: &QueryContext, values: &[ScalarValue]) -> Result<ScalarValue> {
    let (channel, payload) = (text(values, 0).unwrap_or_default(), text(values, 1));
    let payload = payload.unwrap_or_default().to_owned();
    context.session.channels.add(Notification::Notify(channel.to_owned(), payload))?;
    Ok(text_value(""))
}

fn stop(context: &QueryContext, values: &[ScalarValue], reason: StopReason) -> Result<ScalarValue> {
    let pid = number(values, 0)?;
    let target = i32::try_from(pid).ok().and_then(|pid| context.engine.session(pid));
    let Some(target) = target else {
        let text = format!("PID {pid} is not a PostgreSQL backend process");
        let warning = Error { severity: "WARNING", ..Error::new("01000", text) };
        context.session.notices.lock().push(Notice::Message(warning));
        return Ok(ScalarValue::Boolean(Some(false)));
    };
    let verb = if reason == StopReason::Termination { "terminate" } else { "cancel" };
    may_signal(context, target.role, verb)?;
    target.stop(reason);
    Ok(ScalarValue::Boolean(Some(true)))
}

/// Whether the current role may stop what another session does (manual: functions-admin-signal).
fn may_signal(context: &QueryContext, role: Oid, verb: &str) -> Result<()> {
    let of_superuser = context.engine.cluster.role(role).is_some_and(|role| role.superuser);
    if of_superuser && !context.rights.superuser {
        let text = match verb {
            "terminate" => "must be a superuser to terminate superuser process",
            _ => "must be a superuser to cancel superuser query",
        };
        return Err(Error::new("42501", text));
    }
    if context.rights.owns(role) || context.rights.has(SIGNAL_BACKEND) {
        return Ok(());
    }
    let what = if verb == "terminate" { "process" } else { "query" };
    let verb = if verb == "terminate" { "terminated" } else { "canceled" };
    let text = format!(
        "must be a member of the role whose {what} is being {verb} or member of pg_signal_backend"
    );
    Err(Error::new("42501", text))
}
