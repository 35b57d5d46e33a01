//! What the system relations are drawn from.

use std::sync::Arc;

use clientele_udfs::types::PgType;

use super::facts::indexes::IndexPlaces;
use crate::catalog::Catalog;
use crate::definition::{Database, Function, Oid, Relation, RelationKind, Role, Schema};
use crate::progress::Progress;
use crate::storage::{IndexTally, Tally};

/// One instant, one role, one database. The engine makes one per statement and shares it.
pub struct Context {
    /// The definitions of the database.
    pub catalog: Arc<Catalog>,
    /// The database itself.
    pub database: Database,
    /// All databases.
    pub databases: Vec<Database>,
    /// All roles.
    pub roles: Vec<Role>,
    /// The current role.
    pub role: Oid,
    /// Every function that SQL can call, from [`super::number_functions`].
    pub functions: Arc<Vec<FunctionFacts>>,
    /// Every setting with its value in this session.
    pub settings: Vec<SettingFacts>,
    /// Every session that the role may know of.
    pub sessions: Vec<SessionFacts>,
    /// How far the flush or compaction of this database is that no session asked for.
    pub upkeep: Option<Done>,
    /// Version of the rows that are seen; `None`: some are the transaction's own.
    pub rows: Option<u64>,
    /// Size of a stored relation, by its OID.
    pub row_counts: Arc<dyn Fn(Oid) -> RelationFacts + Send + Sync>,
    /// Use of an index, by its OID.
    pub index_uses: Arc<dyn Fn(Oid) -> IndexTally + Send + Sync>,
    /// The session's prepared statements.
    pub prepared: Vec<PreparedFacts>,
    /// The session's cursors.
    pub cursors: Vec<CursorFacts>,
    /// Schemas that names are looked up in, in order, `pg_catalog` included where it stands.
    pub search_path: Vec<Oid>,
    /// Where indexes are.
    pub indexes: IndexPlaces,
}

impl Context {
    /// Name of a role; `unknown (OID=17)` when it is gone, as PostgreSQL prints it.
    pub fn role_name(&self, oid: Oid) -> String {
        match self.role(oid) {
            Some(role) => role.name.clone(),
            None => format!("unknown (OID={oid})"),
        }
    }

    /// All jobs, with their sessions.
    pub(crate) fn all_jobs(&self) -> impl Iterator<Item = (&SessionFacts, &JobFacts)> {
        self.sessions.iter().filter_map(|session| Some((session, session.job.as_ref()?)))
    }

    /// Jobs of a kind, with their sessions.
    pub(crate) fn jobs(&self, kind: JobKind) -> impl Iterator<Item = (&SessionFacts, &JobFacts)> {
        self.all_jobs().filter(move |(_, job)| job.kind == kind)
    }

    /// The role of that OID.
    pub fn role(&self, oid: Oid) -> Option<&Role> {
        self.roles.iter().find(|role| role.oid == oid)
    }

    /// The role of that name.
    pub fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Name of a schema; empty when it is gone.
    pub fn schema_name(&self, oid: Oid) -> &str {
        self.catalog.schema_by_oid(oid).map_or("", |schema| schema.name.as_str())
    }

    /// Relations that a session may see: all but other sessions' temporary ones are in the catalog.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &Arc<Relation>> {
        self.catalog.relations()
    }

    /// Relations with the schema they are in.
    pub(crate) fn placed_relations(&self) -> impl Iterator<Item = (&Schema, &Arc<Relation>)> {
        self.relations().filter_map(|relation| {
            Some((self.catalog.schema_by_oid(relation.schema)?.as_ref(), relation))
        })
    }
}

impl Relation {
    /// The query of a view or materialized view.
    pub(crate) fn query(&self) -> Option<&str> {
        match &self.kind {
            RelationKind::View { query } | RelationKind::MaterializedView { query, .. } => {
                Some(query)
            }
            RelationKind::Table | RelationKind::Sequence(_) | RelationKind::ForeignTable(_) => None,
        }
    }
}

/// What kind of function it is (`pg_proc.prokind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// An ordinary function, scalar or set-returning.
    Function,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
    /// A procedure, for `CALL`.
    Procedure,
}

impl FunctionKind {
    /// Whether the SQL standard calls it a routine.
    pub(crate) fn is_routine(self) -> bool {
        matches!(self, Self::Function | Self::Procedure)
    }

    /// `pg_proc.prokind`.
    pub fn letter(self) -> char {
        match self {
            Self::Function => 'f',
            Self::Aggregate => 'a',
            Self::Window => 'w',
            Self::Procedure => 'p',
        }
    }
}

/// What a function may depend on (`pg_proc.provolatile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// Only its arguments.
    Immutable,
    /// The statement's snapshot too.
    Stable,
    /// Anything.
    Volatile,
}

impl Volatility {
    /// `pg_proc.provolatile`.
    pub fn letter(self) -> char {
        match self {
            Self::Immutable => 'i',
            Self::Stable => 's',
            Self::Volatile => 'v',
        }
    }
}

/// Which way an argument goes (`pg_proc.proargmodes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentMode {
    /// In.
    In,
    /// `VARIADIC`: the type is the array's.
    Variadic,
    /// A column of the result of a table function.
    Table,
    /// Out.
    Out,
}

impl ArgumentMode {
    /// `pg_proc.proargmodes`.
    pub fn letter(self) -> char {
        match self {
            Self::In => 'i',
            Self::Variadic => 'v',
            Self::Table => 't',
            Self::Out => 'o',
        }
    }

    /// Whether a caller gives it.
    pub fn is_input(self) -> bool {
        matches!(self, Self::In | Self::Variadic)
    }
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name; empty: none.
    pub name: String,
    /// Its type.
    pub pg_type: PgType,
    /// Which way it goes.
    pub mode: ArgumentMode,
    /// Its default as SQL.
    pub default: Option<String>,
}

/// One function with one list of argument types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFacts {
    /// Its OID, given by [`super::number_functions`].
    pub oid: Oid,
    /// OID of its schema.
    pub schema: Oid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// Arguments, result columns of table functions last.
    pub arguments: Vec<Argument>,
    /// Type of the result; `void` for procedures, `record` for tables of several columns.
    pub returns: PgType,
    /// Returns any number of rows.
    pub returns_set: bool,
    /// What it depends on.
    pub volatility: Volatility,
    /// NULL for a NULL argument, without being called.
    pub strict: bool,
    /// `COMMENT ON FUNCTION`.
    pub comment: Option<String>,
    /// Its definition, when it is a user's.
    pub defined: Option<Arc<Function>>,
}

impl FunctionFacts {
    /// The arguments that a caller gives.
    pub fn inputs(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.mode.is_input())
    }
}

/// A setting (`pg_settings`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingFacts {
    /// Its name.
    pub name: String,
    /// Its value in this session, in its unit.
    pub setting: String,
    /// `ms`, `kB` …
    pub unit: Option<String>,
    /// Heading in the manual.
    pub category: String,
    /// One line.
    pub description: String,
    /// `user`, `superuser`, `postmaster`, `sighup`, `internal` …
    pub context: String,
    /// `bool`, `enum`, `integer`, `real`, `string`.
    pub value_type: String,
    /// `default`, `session`, `configuration file` …
    pub source: String,
    /// Smallest value of a number.
    pub minimum: Option<String>,
    /// Largest value of a number.
    pub maximum: Option<String>,
    /// Values of an enum.
    pub choices: Option<Vec<String>>,
    /// Value when nothing is set.
    pub boot_value: Option<String>,
    /// Value that `RESET` gives.
    pub reset_value: Option<String>,
}

/// A session (`pg_stat_activity`). Times are microseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFacts {
    /// Process number as clients know it.
    pub pid: i32,
    /// Its database.
    pub database: Oid,
    /// Its role.
    pub role: Oid,
    /// `application_name`.
    pub application_name: String,
    /// Address of the client; `None`: in process.
    pub client_address: Option<String>,
    /// Port of the client.
    pub client_port: Option<i32>,
    /// When it connected.
    pub started_at: i64,
    /// When its transaction began.
    pub transaction_started_at: Option<i64>,
    /// When its last statement began.
    pub query_started_at: Option<i64>,
    /// When its state changed.
    pub state_changed_at: Option<i64>,
    /// `active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`.
    pub state: String,
    /// What it waits for: `Client`, `Lock`, `IO` …
    pub wait_event_type: Option<String>,
    /// The same, closer.
    pub wait_event: Option<String>,
    /// Its last statement.
    pub query: String,
    /// Protocol version when encrypted: `TLSv1.3`.
    pub tls_version: Option<String>,
    /// Cipher when encrypted.
    pub tls_cipher: Option<String>,
    /// COPY in progress.
    pub copy: Option<CopyProgress>,
    /// Other long work under way.
    pub job: Option<JobFacts>,
}

/// Long work whose progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// `VACUUM`, `CALL clientele.compact`.
    Vacuum,
    /// `CLUSTER`.
    Cluster,
    /// `CALL clientele.backup`.
    Backup,
    /// `CREATE UNIQUE INDEX` and what makes one: `ALTER TABLE … ADD PRIMARY KEY`.
    CreateIndex,
    /// `CREATE TABLE AS`.
    CreateTableAs,
    /// `CREATE MATERIALIZED VIEW`.
    CreateMaterializedView,
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMaterializedView,
    /// `CALL clientele.publish_delta`.
    PublishDelta,
    /// `CHECKPOINT`, `CALL clientele.flush`.
    Checkpoint,
    /// `CALL gdpr.purge`.
    Purge,
}

impl JobKind {
    /// The statement, as `clientele.progress` names it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Vacuum => "VACUUM",
            Self::Cluster => "CLUSTER",
            Self::Backup => "CALL clientele.backup",
            Self::Purge => "CALL gdpr.purge",
            Self::CreateIndex => "CREATE INDEX",
            Self::CreateTableAs => "CREATE TABLE AS",
            Self::CreateMaterializedView => "CREATE MATERIALIZED VIEW",
            Self::RefreshMaterializedView => "REFRESH MATERIALIZED VIEW",
            Self::PublishDelta => "CALL clientele.publish_delta",
            Self::Checkpoint => "CHECKPOINT",
        }
    }
}

/// How far long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobFacts {
    /// What it is.
    pub kind: JobKind,
    /// The table; 0 for none.
    pub relation: Oid,
    /// The index that is made; 0 for none.
    pub index: Oid,
    /// How far it is.
    pub done: Done,
}

/// How far work is, as [`Progress`] counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// What is being done; empty before the first phase.
    pub phase: &'static str,
    /// Bytes so far.
    pub bytes: u64,
    /// Bytes in all; 0 when unknown.
    pub bytes_total: u64,
    /// Rows so far.
    pub rows: u64,
}

impl From<&Progress> for Done {
    fn from(progress: &Progress) -> Self {
        Self {
            phase: progress.phase(),
            bytes: progress.done(),
            bytes_total: progress.total(),
            rows: progress.rows(),
        }
    }
}

/// A number as `int8` holds it.
pub(crate) fn count(number: u64) -> Option<i64> {
    Some(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Bytes of a block, in which PostgreSQL counts.
const BLOCK_BYTES: u64 = 8192;

impl JobFacts {
    /// Blocks so far.
    pub fn blocks(&self) -> i64 {
        i64::try_from(self.done.bytes.div_ceil(BLOCK_BYTES)).unwrap_or(i64::MAX)
    }

    /// Blocks in all.
    pub fn blocks_total(&self) -> i64 {
        i64::try_from(self.done.bytes_total.div_ceil(BLOCK_BYTES)).unwrap_or(i64::MAX)
    }
}

/// How far a COPY has come (`pg_stat_progress_copy`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// The table, 0 for a query.
    pub relation: Oid,
    /// `COPY FROM` or `COPY TO`.
    pub command: String,
    /// `FILE`, `PIPE`, `CALLBACK`.
    pub kind: String,
    /// Bytes so far.
    pub bytes: i64,
    /// Bytes in all, 0 when unknown.
    pub bytes_total: i64,
    /// Rows so far.
    pub rows: i64,
    /// Rows that a WHERE left out.
    pub rows_excluded: i64,
}

/// How large a stored relation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelationFacts {
    /// Rows, deleted ones not counted.
    pub rows: u64,
    /// Rows that are deleted and not yet taken out.
    pub dead_rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Rows written since the server started.
    pub written: Tally,
}

/// A prepared statement (`pg_prepared_statements`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedFacts {
    /// Its name.
    pub name: String,
    /// The statement.
    pub statement: String,
    /// When, in microseconds since 1970.
    pub prepared_at: i64,
    /// Types of its parameters.
    pub parameters: Vec<PgType>,
    /// By SQL `PREPARE`, not by the protocol.
    pub from_sql: bool,
}

/// A cursor (`pg_cursors`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorFacts {
    /// Its name.
    pub name: String,
    /// The query.
    pub statement: String,
    /// `WITH HOLD`.
    pub holdable: bool,
    /// `BINARY`.
    pub binary: bool,
    /// `SCROLL`.
    pub scrollable: bool,
    /// When, in microseconds since 1970.
    pub created_at: i64,
}
