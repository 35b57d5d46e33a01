//! Settings of a session (`SET`, `SHOW`, `pg_settings`): one table, one value map.
//!
//! A transaction that rolls back takes its `SET`s along; `SET LOCAL` ends with the transaction
//! (manual: sql-set). Custom settings `prefix.name` are kept as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use chrono_tz::Tz;
use clientele_identity::text::phone;
use clientele_udfs::input::{self, DateOrder};
use clientele_udfs::types::PgType;
use datafusion::scalar::ScalarValue;

use super::accepted_settings::ACCEPTED;
use crate::error::{Error, Result};

/// What PostgreSQL version we speak as.
pub const SERVER_VERSION: &str = "15.8 (Clientele 0.1.0)";
/// The same as one number.
pub const SERVER_VERSION_NUM: &str = "150008";

/// How a setting's text is checked and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `on` / `off`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// Milliseconds; takes and shows units.
    Milliseconds,
    /// Kilobytes; takes and shows units.
    Kilobytes,
    /// Any text.
    Text,
    /// A list of identifiers.
    Names,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A time zone name.
    TimeZone,
    /// How dates are written and read.
    DateStyle,
    /// A character set.
    Encoding,
    /// A country by its ISO 3166-1 alpha-2 code, or nothing.
    Region,
    /// A point in time, or nothing; kept as microseconds since 1970.
    Instant,
    /// Cannot be changed.
    Fixed,
}

/// Facts about one setting.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Name.
    pub name: &'static str,
    /// Value at the start of a session.
    pub default: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Whether clients are told of changes (ParameterStatus), under this spelling.
    pub reported: Option<&'static str>,
    /// One sentence.
    pub comment: &'static str,
}

const fn setting(
    name: &'static str,
    default: &'static str,
    kind: Kind,
    comment: &'static str,
) -> Facts {
    Facts { name, default, kind, reported: None, comment }
}

const fn reported(facts: Facts, spelling: &'static str) -> Facts {
    Facts { reported: Some(spelling), ..facts }
}

const ISOLATION: Kind =
    Kind::OneOf(&["read uncommitted", "read committed", "repeatable read", "serializable"]);
const LEVELS: Kind = Kind::OneOf(&[
    "debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "notice", "info", "warning",
    "error",
]);

/// Every setting, by name.
#[rustfmt::skip]
pub const SETTINGS: &[Facts] = &[
    reported(setting("application_name", "", Kind::Text, "Sets the application name to be reported in statistics and logs."), "application_name"),
    setting("array_nulls", "on", Kind::Boolean, "Enables input of NULL elements in arrays."),
    setting("bytea_output", "hex", Kind::OneOf(&["hex"]), "Sets the output format for bytea."),
    setting("check_function_bodies", "on", Kind::Boolean, "Checks routine bodies during CREATE FUNCTION."),
    reported(setting("client_encoding", "UTF8", Kind::Encoding, "Sets the client's character set encoding."), "client_encoding"),
    setting("client_min_messages", "notice", LEVELS, "Sets the message levels that are sent to the client."),
    setting("clientele.as_of", "", Kind::Instant, "Shows who was who at an instant; empty: now."),
    setting("clientele.controller", "", Kind::Text, "Names the controller (GDPR art. 4(7)) and how to reach them: gdpr.register shows it."),
    setting("clientele.default_region", "", Kind::Region, "Sets the country of telephone numbers that are written without one; empty: none."),
    setting("clientele.dpo", "", Kind::Text, "Says how to reach the data protection officer: gdpr.register shows it."),
    setting("clientele.purpose", "", Kind::Text, "Restricts rows and columns to those that a purpose covers."),
    setting("clientele.reason", "", Kind::Text, "Says why: it is recorded with decisions about privacy."),
    reported(setting("datestyle", "ISO, MDY", Kind::DateStyle, "Sets the display format for date and time values."), "DateStyle"),
    setting("default_table_access_method", "heap", Kind::OneOf(&["heap"]), "Sets the default table access method for new tables."),
    setting("default_tablespace", "", Kind::Text, "Sets the default tablespace to create tables in."),
    setting("default_transaction_deferrable", "off", Kind::Boolean, "Sets the default deferrable status of new transactions."),
    setting("default_transaction_isolation", "read committed", ISOLATION, "Sets the transaction isolation level of each new transaction."),
    reported(setting("default_transaction_read_only", "off", Kind::Boolean, "Sets the default read-only status of new transactions."), "default_transaction_read_only"),
    setting("enable_hashjoin", "on", Kind::Boolean, "Enables the planner's use of hash join plans."),
    setting("enable_seqscan", "on", Kind::Boolean, "Accepted for compatibility."),
    setting("extra_float_digits", "1", Kind::Integer, "Sets the number of digits displayed for floating-point values."),
    setting("geqo", "on", Kind::Boolean, "Accepted for compatibility."),
    setting("idle_in_transaction_session_timeout", "0", Kind::Milliseconds, "Sets the maximum allowed idle time between queries, when in a transaction."),
    setting("idle_session_timeout", "0", Kind::Milliseconds, "Sets the maximum allowed idle time between queries, when not in a transaction."),
    reported(setting("in_hot_standby", "off", Kind::Fixed, "Shows whether hot standby is currently active."), "in_hot_standby"),
    reported(setting("integer_datetimes", "on", Kind::Fixed, "Shows whether datetimes are integer based."), "integer_datetimes"),
    reported(setting("intervalstyle", "postgres", Kind::OneOf(&["postgres", "iso_8601"]), "Sets the display format for interval values."), "IntervalStyle"),
    reported(setting("is_superuser", "off", Kind::Fixed, "Shows whether the current user is a superuser."), "is_superuser"),
    setting("jit", "off", Kind::Boolean, "Accepted for compatibility."),
    setting("lc_collate", "C", Kind::Fixed, "Shows the collation order locale."),
    setting("lc_ctype", "C.UTF-8", Kind::Fixed, "Shows the character classification and case conversion locale."),
    setting("lc_messages", "C", Kind::Text, "Sets the language in which messages are displayed."),
    setting("lc_monetary", "C", Kind::Text, "Sets the locale for formatting monetary amounts."),
    setting("lc_numeric", "C", Kind::Text, "Sets the locale for formatting numbers."),
    setting("lc_time", "C", Kind::Text, "Sets the locale for formatting date and time values."),
    setting("lock_timeout", "0", Kind::Milliseconds, "Sets the maximum allowed duration of any wait for a lock."),
    setting("max_connections", "200", Kind::Fixed, "Sets the maximum number of concurrent connections."),
    setting("max_identifier_length", "63", Kind::Fixed, "Shows the maximum identifier length."),
    setting("max_index_keys", "32", Kind::Fixed, "Shows the maximum number of index keys."),
    setting("password_encryption", "scram-sha-256", Kind::OneOf(&["scram-sha-256"]), "Chooses the algorithm for encrypting passwords."),
    setting("row_security", "on", Kind::Boolean, "Enables row security."),
    setting("search_path", "\"$user\", public", Kind::Names, "Sets the schema search order for names that are not schema-qualified."),
    reported(setting("server_encoding", "UTF8", Kind::Fixed, "Shows the server (database) character set encoding."), "server_encoding"),
    reported(setting("server_version", SERVER_VERSION, Kind::Fixed, "Shows the server version."), "server_version"),
    setting("server_version_num", SERVER_VERSION_NUM, Kind::Fixed, "Shows the server version as an integer."),
    reported(setting("session_authorization", "", Kind::Fixed, "Shows the session user name."), "session_authorization"),
    setting("session_replication_role", "origin", Kind::OneOf(&["origin", "replica", "local"]), "Accepted for compatibility."),
    setting("ssl", "off", Kind::Fixed, "Shows whether the server accepts TLS connections."),
    reported(setting("standard_conforming_strings", "on", Kind::OneOf(&["on", "true", "yes", "1"]), "Causes '...' strings to treat backslashes literally."), "standard_conforming_strings"),
    setting("statement_timeout", "0", Kind::Milliseconds, "Sets the maximum allowed duration of any statement."),
    setting("synchronize_seqscans", "on", Kind::Boolean, "Accepted for compatibility."),
    setting("synchronous_commit", "on", Kind::OneOf(&["on", "local", "remote_write", "remote_apply", "off", "true", "false"]), "Accepted for compatibility: every commit is synchronous."),
    setting("tcp_keepalives_idle", "0", Kind::Integer, "Accepted for compatibility."),
    setting("temp_buffers", "8192", Kind::Kilobytes, "Accepted for compatibility."),
    reported(setting("timezone", "UTC", Kind::TimeZone, "Sets the time zone for displaying and interpreting time stamps."), "TimeZone"),
    setting("transaction_deferrable", "off", Kind::Boolean, "Accepted for compatibility."),
    setting("transaction_isolation", "read committed", ISOLATION, "Shows the current transaction's isolation level."),
    setting("transaction_read_only", "off", Kind::Boolean, "Sets the current transaction's read-only status."),
    setting("wal_level", "replica", Kind::Fixed, "Shows the level of information written to the log."),
    setting("work_mem", "4096", Kind::Kilobytes, "Accepted for compatibility: memory is bounded for the whole server."),
    setting("xmloption", "content", Kind::OneOf(&["content", "document"]), "Accepted for compatibility."),
];

/// Settings that a plan depends on. What others say is asked for when a statement runs.
const OF_PLANS: &[&str] = &[
    "bytea_output",
    "clientele.as_of",
    "clientele.default_region",
    "clientele.purpose",
    "datestyle",
    "extra_float_digits",
    "intervalstyle",
    "row_security",
    "search_path",
    "session_replication_role",
    "timezone",
];

/// What a transaction has, and where it begins from.
const OF_TRANSACTIONS: &[(&str, &str)] = &[
    ("transaction_deferrable", "default_transaction_deferrable"),
    ("transaction_isolation", "default_transaction_isolation"),
    ("transaction_read_only", "default_transaction_read_only"),
];

/// Values by name; shared until one changes.
type Values = BTreeMap<String, String>;

/// The settings of one session.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: Arc<Values>,
    /// What `RESET` returns to: the values of the start-up message.
    initial: Arc<Values>,
    /// Values when the transaction began, while one is open.
    before: Option<Arc<Values>>,
    /// Values that `SET LOCAL` covered, to come back at the end of the transaction.
    covered: BTreeMap<String, Option<String>>,
}

impl Settings {
    /// The value as `SHOW` prints it; `None` when there is no such setting.
    pub fn get(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        let facts = facts(&name);
        let value =
            self.values.get(&name).map(String::as_str).or(facts.map(|facts| facts.default))?;
        Some(match facts.map(|facts| facts.kind) {
            Some(Kind::Milliseconds) => shown(
                value,
                &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)],
            ),
            Some(Kind::Instant) => instant_shown(value),
            Some(Kind::Kilobytes) => shown(value, &[("GB", 1 << 20), ("MB", 1 << 10), ("kB", 1)]),
            _ => value.to_owned(),
        })
    }

    /// The value of a setting in milliseconds; 0: off.
    pub fn milliseconds(&self, name: &str) -> u64 {
        self.raw(name).parse().unwrap_or(0)
    }

    /// The value as kept.
    pub fn raw(&self, name: &str) -> &str {
        let kept = self.values.get(name).map(String::as_str);
        kept.or(facts(name).map(|facts| facts.default)).unwrap_or_default()
    }

    /// The session's time zone.
    pub fn time_zone(&self) -> Tz {
        self.raw("timezone").parse().unwrap_or(Tz::UTC)
    }

    /// What the numbers of a date are.
    pub fn date_order(&self) -> DateOrder {
        DateOrder::of_style(self.raw("datestyle"))
    }

    /// The country of telephone numbers that are written without one.
    pub fn default_region(&self) -> Option<phone::Region> {
        phone::region(self.raw("clientele.default_region"))
    }

    /// Changes a setting. Returns the spelling and value to report to the client, if it is reported.
    ///
    /// # Errors
    /// 42704 no such setting, 55P02 it cannot be changed, 22023 the value does not fit.
    pub fn set(
        &mut self,
        name: &str,
        value: &str,
        local: bool,
    ) -> Result<Option<(String, String)>> {
        let name = name.to_lowercase();
        let value = match facts(&name).map(|facts| facts.kind) {
            Some(Kind::Instant) => self.instant(&name, value)?,
            _ => checked(&name, value)?,
        };
        if local {
            self.covered.entry(name.clone()).or_insert_with(|| self.values.get(&name).cloned());
        } else {
            self.covered.remove(&name);
        }
        if self.raw(&name) != value || facts(&name).is_none() {
            Arc::make_mut(&mut self.values).insert(name.clone(), value);
        }
        Ok(self.report(&name))
    }

    /// An instant as it is kept; one without a zone is local to the session.
    fn instant(&self, name: &str, value: &str) -> Result<String> {
        if value.trim().is_empty() {
            return Ok(String::new());
        }
        let time_zone = self.raw("timezone").parse().unwrap_or(Tz::UTC);
        let context = input::Context { time_zone, ..input::Context::default() };
        match input::parse(PgType::TIMESTAMPTZ, Some(value), &context) {
            Ok(ScalarValue::TimestampMicrosecond(Some(micros), _)) => Ok(micros.to_string()),
            _ => Err(Error::new(
                "22023",
                format!("invalid value for parameter \"{name}\": \"{value}\""),
            )),
        }
    }

    /// Sets what only the engine may set.
    pub fn force(&mut self, name: &str, value: &str) {
        Arc::make_mut(&mut self.values).insert(name.to_owned(), value.to_owned());
    }

    /// Takes the present values as those that `RESET` returns to.
    pub fn keep_as_initial(&mut self) {
        self.initial = Arc::clone(&self.values);
    }

    /// Resets a setting; returns what to report.
    ///
    /// # Errors
    /// 42704.
    pub fn reset(&mut self, name: &str) -> Result<Option<(String, String)>> {
        let name = name.to_lowercase();
        if facts(&name).is_none() && !self.values.contains_key(&name) {
            return Err(unknown(&name));
        }
        let initial = self.initial.get(&name).cloned();
        self.put(name.clone(), initial);
        Ok(self.report(&name))
    }

    /// Resets all settings; returns what to report.
    pub fn reset_all(&mut self) -> Vec<(String, String)> {
        let before = std::mem::replace(&mut self.values, Arc::clone(&self.initial));
        self.changes(&before)
    }

    /// A transaction begins, as the session's defaults want it.
    pub fn begin(&mut self) {
        self.before = Some(Arc::clone(&self.values));
        self.covered.clear();
        for (name, default) in OF_TRANSACTIONS {
            if self.raw(name) != self.raw(default) {
                self.covered.insert((*name).to_owned(), self.values.get(*name).cloned());
                let default = self.raw(default).to_owned();
                self.put((*name).to_owned(), Some(default));
            }
        }
    }

    /// The transaction ends; returns what to report.
    pub fn end(&mut self, committed: bool) -> Vec<(String, String)> {
        let now = Arc::clone(&self.values);
        let covered = std::mem::take(&mut self.covered);
        match (self.before.take(), committed) {
            (Some(before), false) => self.values = before,
            _ => {
                for (name, value) in covered {
                    self.put(name, value);
                }
            }
        }
        self.changes(&now)
    }

    /// Every reported setting with its value.
    pub fn reported(&self) -> Vec<(String, String)> {
        SETTINGS.iter().filter_map(|facts| self.report(facts.name)).collect()
    }

    /// Every setting with its value and comment, custom ones included.
    pub fn all(&self) -> Vec<(String, String, &'static str)> {
        let known = SETTINGS.iter().chain(ACCEPTED).map(|facts| {
            (facts.name.to_owned(), self.get(facts.name).unwrap_or_default(), facts.comment)
        });
        let custom = self.values.iter().filter(|(name, _)| facts(name).is_none());
        known.chain(custom.map(|(name, value)| (name.clone(), value.clone(), ""))).collect()
    }

    fn report(&self, name: &str) -> Option<(String, String)> {
        let spelling = facts(name)?.reported?;
        Some((spelling.to_owned(), self.get(name)?))
    }

    /// Sets a value, or takes it away; settings that stay the same stay shared.
    fn put(&mut self, name: String, value: Option<String>) {
        if self.values.get(&name) == value.as_ref() {
            return;
        }
        let values = Arc::make_mut(&mut self.values);
        match value {
            Some(value) => values.insert(name, value),
            None => values.remove(&name),
        };
    }

    /// Whether nothing was changed between the two.
    pub fn same_values(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values)
    }

    /// Whether what was planned under `other` holds under these settings.
    pub fn plan_alike(&self, other: &Self) -> bool {
        self.same_values(other) || OF_PLANS.iter().all(|name| self.raw(name) == other.raw(name))
    }

    fn changes(&self, before: &Arc<Values>) -> Vec<(String, String)> {
        if Arc::ptr_eq(before, &self.values) {
            return Vec::new();
        }
        let changed = |facts: &&Facts| before.get(facts.name) != self.values.get(facts.name);
        SETTINGS.iter().filter(changed).filter_map(|facts| self.report(facts.name)).collect()
    }
}

/// Microseconds since 1970 as text.
fn instant_shown(value: &str) -> String {
    let instant = value.parse().ok().and_then(DateTime::from_timestamp_micros);
    instant.map_or_else(String::new, |one| one.format("%Y-%m-%d %H:%M:%S%.f+00").to_string())
}

/// Facts of a setting.
pub fn facts(name: &str) -> Option<&'static Facts> {
    SETTINGS.iter().chain(ACCEPTED).find(|facts| facts.name == name)
}

/// `unrecognized configuration parameter` (42704).
pub fn unknown(name: &str) -> Error {
    Error::new("42704", format!("unrecognized configuration parameter \"{name}\""))
}

fn checked(name: &str, value: &str) -> Result<String> {
    let Some(facts) = facts(name) else {
        return if name.contains('.') { Ok(value.to_owned()) } else { Err(unknown(name)) };
    };
    let bad =
        || Error::new("22023", format!("invalid value for parameter \"{name}\": \"{value}\""));
    match facts.kind {
        Kind::Fixed => Err(Error::new("55P02", format!("parameter \"{name}\" cannot be changed"))),
        Kind::Text | Kind::Names | Kind::Instant => Ok(value.to_owned()),
        Kind::Boolean => {
            boolean(value).map(|on| if on { "on" } else { "off" }.to_owned()).ok_or_else(|| {
                Error::new("22023", format!("parameter \"{name}\" requires a Boolean value"))
            })
        }
        Kind::Integer => {
            value.trim().parse::<i64>().map(|number| number.to_string()).map_err(|_| bad())
        }
        Kind::Real => {
            value.trim().parse::<f64>().map(|number| number.to_string()).map_err(|_| bad())
        }
        Kind::Milliseconds => number_with_unit(
            value,
            &[("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)],
        )
        .ok_or_else(bad),
        Kind::Kilobytes => {
            number_with_unit(value, &[("kB", 1), ("MB", 1 << 10), ("GB", 1 << 20), ("TB", 1 << 30)])
                .ok_or_else(bad)
        }
        Kind::OneOf(values) => {
            let lower = value.to_lowercase();
            if values.contains(&lower.as_str()) { Ok(lower) } else { Err(bad()) }
        }
        Kind::TimeZone => time_zone(value).ok_or_else(bad),
        Kind::Encoding => encoding(value).ok_or_else(bad),
        Kind::DateStyle => date_style(value)
            .ok_or_else(|| bad().with_hint("Dates and times are written in ISO style only.")),
        Kind::Region => region(value).ok_or_else(|| bad().with_hint(REGION_HINT)),
    }
}

/// Of an encoding's name only letters and digits count: 'UTF-8', "utf_8". `SQL_ASCII` means bytes as
/// they are, and these are UTF-8 here.
fn encoding(value: &str) -> Option<String> {
    let mut name = value.to_lowercase();
    name.retain(|one| one.is_ascii_alphanumeric());
    let known = match name.as_str() {
        "utf8" | "unicode" => "UTF8",
        "sqlascii" => "SQL_ASCII",
        _ => return None,
    };
    Some(known.to_owned())
}

/// The words of a date style in any order, where they ask for what there is.
fn date_style(value: &str) -> Option<String> {
    let mut order = "MDY";
    for word in value.split([',', ' ']).filter(|word| !word.is_empty()) {
        order = match word.to_lowercase().as_str() {
            "iso" | "default" => order,
            "mdy" | "us" | "noneuro" | "noneuropean" => "MDY",
            "dmy" | "euro" | "european" => "DMY",
            "ymd" => "YMD",
            _ => return None,
        };
    }
    Some(format!("ISO, {order}"))
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some(true),
        "off" | "false" | "no" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

const REGION_HINT: &str = "Give the ISO 3166-1 alpha-2 code of a country, such as FR.";

/// The code of a country whose numbering plan is known, in upper case.
fn region(value: &str) -> Option<String> {
    let code = value.trim().to_ascii_uppercase();
    (code.is_empty() || phone::region(&code).is_some()).then_some(code)
}

/// The canonical name of a zone; PostgreSQL matches names without regard to case.
fn time_zone(value: &str) -> Option<String> {
    let wanted = value.trim();
    if let Ok(hours) = wanted.parse::<i32>() {
        // POSIX signs are the other way round: `Etc/GMT-2` is two hours east.
        let name = if hours == 0 { "UTC".to_owned() } else { format!("Etc/GMT{:+}", -hours) };
        return name.parse::<Tz>().ok().map(|zone| zone.name().to_owned());
    }
    if wanted.eq_ignore_ascii_case("default") || wanted.eq_ignore_ascii_case("local") {
        return Some("UTC".to_owned());
    }
    Tz::from_str_insensitive(wanted).ok().map(|zone| zone.name().to_owned())
}

fn number_with_unit(value: &str, units: &[(&str, i64)]) -> Option<String> {
    let value = value.trim();
    let split = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, unit) = value.split_at(split);
    let number: f64 = number.trim().parse().ok()?;
    let factor = match unit {
        "" => 1,
        unit => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    let result = number * factor as f64;
    (result >= -1.0 && result < i32::MAX.into()).then(|| format!("{}", result.round() as i64))
}

/// A number in the largest unit that divides it.
fn shown(value: &str, units: &[(&str, i64)]) -> String {
    let Ok(number) = value.parse::<i64>() else { return value.to_owned() };
    if number <= 0 {
        return number.to_string();
    }
    units
        .iter()
        .find(|(_, factor)| number % factor == 0)
        .map_or_else(|| number.to_string(), |(unit, factor)| format!("{}{unit}", number / factor))
}

/// The schemas of `search_path`, `$user` replaced.
pub fn search_path(text: &str, user: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some("$user") => user.to_owned(),
            Some(quoted) => quoted.replace("\"\"", "\""),
            None if name == "$user" => user.to_owned(),
            None => name.to_lowercase(),
        })
        .collect()
}
