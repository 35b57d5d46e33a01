//! One client's state, and the road that every statement walks.
//!
//! `parse` → `prepare` → `execute` → (the rows are read) → `sync`. A statement outside BEGIN runs
//! in an implicit transaction that `sync` commits; the simple protocol calls `sync` once for a
//! whole string, the extended one at Sync (manual: protocol-flow).

mod accepted_settings;
mod as_of;
mod audited;
pub(crate) mod basis;
mod constraints;
pub mod cursors;
mod execution;
pub(crate) mod job;
mod kept;
mod named;
pub mod notify;
pub(crate) mod object_locks;
mod recent;
pub mod settings;
pub mod shared;
mod transaction;

use std::collections::HashMap;
use std::sync::Arc;

use clientele_catalog::definition::{Database, Oid, Role, Schema};
use clientele_catalog::storage::{Listings, ProbeByIndex, Store, TemporarySpace};
use clientele_udfs::{input, output, types::PgType};
use datafusion::execution::{SessionStateBuilder, session_state::SessionState};
use datafusion::optimizer::Optimizer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use datafusion::scalar::ScalarValue;
use parking_lot::Mutex;
use sqlparser::ast;
use tokio_util::sync::CancellationToken;

use crate::api::{Column, Notice, Outcome, Startup, TransactionStatus};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::planning::context::{Given, QueryContext};
use crate::planning::cooperate::Cooperate;
use crate::planning::distinct_on::DistinctOnFirstRow;
use crate::planning::filters::FiltersDown;
use crate::planning::in_order::InOrder;
use crate::planning::join_barriers::JoinBarriers;
use crate::privacy::{LatePseudonyms, hide};
use crate::sharing::SharingPlanner;
use crate::sql::place::Source;
use crate::sql::{Body, Statement};
use crate::windows::GroupedWindows;
use crate::{functions, planning, statement};
use as_of::AsOf;
use basis::Basis;
use cursors::Cursor;
use recent::Recent;
use settings::Settings;
use shared::{Identity, SessionShared};
use transaction::{Open, ends_transaction};

pub(crate) use execution::{collect_while_planning, physical};
pub(crate) use kept::Kept;
pub(crate) use named::missing;

/// One client's session.
pub struct Session {
    /// What others see of it.
    pub(crate) shared: Arc<SessionShared>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) database: Arc<Database>,
    pub(crate) store: Arc<Store>,
    pub(crate) role: Arc<Role>,
    pub(crate) temporary: Arc<TemporarySpace>,
    pub(crate) prepared: HashMap<String, Arc<Prepared>>,
    pub(crate) cursors: HashMap<String, Cursor>,
    transaction: Option<Open>,
    state: SessionState,
    /// What the last statement was planned under.
    basis: Option<Arc<Basis>>,
    /// What the last statements came to, for those that come again.
    recent: Recent,
    /// Who was who, as it was last asked for.
    as_of: Option<AsOf>,
    /// The last statement that read closed columns, and without its literals.
    last_read: Option<(Arc<str>, Arc<str>)>,
    /// What the parts of the current statement have returned so far.
    pub(crate) given: Vec<Given>,
    /// The statement is one of several of a string.
    implicit_block: bool,
}

/// A statement ready to be executed.
#[derive(Clone)]
pub struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) declared: Vec<Option<PgType>>,
    parameters: Vec<PgType>,
    columns: Option<Vec<Column>>,
    /// The plan, for as long as it holds.
    kept: Arc<Mutex<Option<Arc<Kept>>>>,
}

impl Prepared {
    /// Types of its parameters.
    pub fn parameters(&self) -> &[PgType] {
        &self.parameters
    }

    /// Its result columns; `None`: it returns no rows.
    pub fn columns(&self) -> Option<&[Column]> {
        self.columns.as_deref()
    }

    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.statement.text
    }
}

impl Session {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        role: Role,
        database: Database,
        startup: Startup,
        pid: i32,
    ) -> Result<Self> {
        let store = engine.cluster.store(database.oid)?;
        store.register(&engine.runtime_env)?;
        let settings =
            initial_settings((&role, &database), &startup, engine.options.connections_max)?;
        let identity = Identity {
            pid,
            role: (role.oid, role.name.clone()),
            database: (database.oid, database.name.clone()),
            peer: startup.peer,
            tls: startup.tls,
        };
        let shared = Arc::new(SessionShared::new(identity, settings));
        let temporary = Arc::new(TemporarySpace::new(Schema {
            oid: store.allocate_oid(),
            name: shared.temporary_schema(),
            owner: role.oid,
            comment: None,
            grants: None,
        }));
        Ok(Self {
            shared,
            engine: Arc::clone(engine),
            state: session_state(engine, database.oid),
            database: Arc::new(database),
            store,
            role: Arc::new(role),
            temporary,
            prepared: HashMap::new(),
            cursors: HashMap::new(),
            transaction: None,
            basis: None,
            recent: Recent::default(),
            as_of: None,
            last_read: None,
            given: Vec::new(),
            implicit_block: false,
        })
    }

    /// Process number.
    pub fn pid(&self) -> i32 {
        self.shared.pid
    }

    /// What a CancelRequest must know.
    pub fn secret(&self) -> Vec<u8> {
        self.shared.secret.to_vec()
    }

    /// The reported settings with their values.
    pub fn parameters(&self) -> Vec<(String, String)> {
        self.shared.settings.lock().reported()
    }

    /// How values are printed.
    pub fn output_style(&self) -> output::Style {
        let settings = self.shared.settings.lock();
        let intervals = match settings.raw("intervalstyle") {
            "iso_8601" => output::IntervalStyle::Iso8601,
            _ => output::IntervalStyle::Postgres,
        };
        output::Style { time_zone: settings.time_zone(), intervals }
    }

    /// How text parameters are read.
    pub fn input_context(&self) -> input::Context {
        let settings = self.shared.settings.lock();
        let (time_zone, date_order) = (settings.time_zone(), settings.date_order());
        input::Context { time_zone, date_order, ..input::Context::default() }
    }

    /// State of the transaction.
    pub fn status(&self) -> TransactionStatus {
        match &self.transaction {
            Some(open) if open.explicit && open.failed => TransactionStatus::Failed,
            Some(open) if open.explicit => TransactionStatus::InTransaction,
            _ => TransactionStatus::Idle,
        }
    }

    /// What the client is to be told beside the answers.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut *self.shared.notices.lock())
    }

    /// Ends when the session must.
    pub fn terminated(&self) -> CancellationToken {
        self.shared.terminated.clone()
    }

    /// A setting in milliseconds, for the timeouts that the wire watches.
    pub fn milliseconds(&self, setting: &str) -> u64 {
        self.shared.settings.lock().milliseconds(setting)
    }

    /// Splits and parses a string of statements.
    ///
    /// # Errors
    /// 42601.
    pub async fn parse(&mut self, sql: &str) -> Result<Vec<Statement>> {
        let parsed = crate::sql::parse(sql);
        if parsed.is_err() {
            self.fail();
        }
        parsed
    }

    /// Finds out a statement's parameters and columns.
    ///
    /// # Errors
    /// Everything that is wrong with names and types; 25P02 in a failed transaction.
    pub async fn prepare(
        &mut self,
        statement: Statement,
        parameter_oids: &[u32],
    ) -> Result<Prepared> {
        let declared: Vec<Option<PgType>> = parameter_oids
            .iter()
            .map(|oid| (*oid != 0 && *oid != 705).then(|| PgType::plain(*oid)))
            .collect();
        self.prepare_declared(statement, declared).await
    }

    pub(crate) async fn prepare_declared(
        &mut self,
        statement: Statement,
        declared: Vec<Option<PgType>>,
    ) -> Result<Prepared> {
        let source = Arc::clone(&statement.source);
        self.begin_statement(&statement.text);
        let result = self.describe(statement, declared).await;
        result.map_err(|error| {
            self.fail();
            error.in_source(&source)
        })
    }

    async fn describe(
        &mut self,
        statement: Statement,
        declared: Vec<Option<PgType>>,
    ) -> Result<Prepared> {
        self.refuse_if_failed(&statement.body)?;
        let mut prepared = Prepared {
            statement,
            parameters: declared.iter().map(|one| one.unwrap_or(PgType::TEXT)).collect(),
            declared,
            columns: None,
            kept: Arc::default(),
        };
        let body = Arc::clone(&prepared.statement.body);
        if let Some(columns) = statement::fixed_columns(&body, self)? {
            prepared.columns = Some(columns);
            // The parameters are those of what is explained.
            if let Body::Explain(explain) = body.as_ref()
                && statement::is_planned(&explain.statement.body)
            {
                let (inner, declared) = (explain.statement.as_ref().clone(), prepared.declared);
                let inner = Box::pin(self.describe(inner, declared)).await?;
                return Ok(Prepared {
                    parameters: inner.parameters,
                    declared: inner.declared,
                    ..prepared
                });
            }
            return Ok(prepared);
        }
        if !statement::is_planned(&body) {
            return Ok(prepared);
        }
        self.begin_implicit();
        let context = self.context_for(!body.only_adds()).await?;
        if let Some(known) = self.recent.find(&prepared, &context) {
            return Ok(Prepared { statement: prepared.statement, ..known });
        }
        let (columns, kept) = self.plan_anew(body, prepared.declared.clone(), &context).await?;
        if let Some(kept) = kept {
            prepared.parameters.clone_from(&kept.planned.parameters);
            *prepared.kept.lock() = Some(kept);
        }
        prepared.columns = columns;
        self.recent.add(&prepared);
        Ok(prepared)
    }

    /// Executes a statement.
    ///
    /// # Errors
    /// What the statement does wrong; the transaction has failed then.
    pub async fn execute(
        &mut self,
        prepared: &Prepared,
        parameters: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let source = Arc::clone(&prepared.statement.source);
        match self.run(prepared, parameters).await {
            Ok(Outcome::Rows(rows)) => Ok(Outcome::Rows(execution::located(rows, source))),
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                self.fail();
                Err(self.without_values(error).in_source(&source))
            }
        }
    }

    /// An error as the current role may be told it.
    pub(super) fn without_values(&self, error: Error) -> Error {
        let rights = || self.engine.cluster.rights(self.role.oid, self.database.oid);
        match error.detail.is_some() || error.object.constraint.is_some() {
            true => hide::detail(&self.store.snapshot().catalog, &rights(), error),
            false => error,
        }
    }

    async fn run(&mut self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<Outcome> {
        let body = Arc::clone(&prepared.statement.body);
        self.refuse_if_failed(&body)?;
        self.begin_statement(&prepared.statement.text);
        self.shared.noted.lock().reads.clear();
        if matches!(*body, Body::Query(_)) {
            let outcome = self.run_query(prepared, parameters).await?;
            return self.audited(outcome, prepared).await;
        }
        let outcome = statement::execute(self, prepared, parameters).await?;
        self.audited(outcome, prepared).await
    }

    /// Runs a statement within another one, which it is a part of: a procedure's.
    ///
    /// # Errors
    /// What it does wrong.
    pub(crate) async fn run_inner(&mut self, body: ast::Statement) -> Result<()> {
        let text: Arc<str> = body.to_string().into();
        let source = Arc::new(Source { text: text.to_string() });
        let statement = Statement { body: Arc::new(Body::Other(Box::new(body))), text, source };
        self.run_within(statement).await.map(drop)
    }

    /// Runs a statement within another one and returns what it comes to.
    ///
    /// # Errors
    /// What it does wrong.
    pub(crate) async fn run_within(&mut self, statement: Statement) -> Result<Outcome> {
        let prepared = self.describe(statement, Vec::new()).await?;
        let outcome = match prepared.statement.body.as_ref() {
            Body::Query(_) => self.run_query(&prepared, Vec::new()).await?,
            _ => Box::pin(statement::execute(self, &prepared, Vec::new())).await?,
        };
        self.audited(outcome, &prepared).await
    }

    /// Refuses to bind a statement in a transaction that has failed, unless it ends it.
    ///
    /// # Errors
    /// 25P02.
    pub fn refuse_aborted(&self, prepared: &Prepared) -> Result<()> {
        self.refuse_if_failed(&prepared.statement.body)
    }

    fn refuse_if_failed(&self, body: &Body) -> Result<()> {
        let failed = self.transaction.as_ref().is_some_and(|open| open.failed);
        if failed && !ends_transaction(body) {
            return Err(Error::new(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        Ok(())
    }

    pub(crate) fn begin_statement(&mut self, text: &str) {
        self.shared.begin_statement(text);
        let timeout_ms = self.milliseconds("statement_timeout");
        execution::arm_timeout(&self.engine, &self.shared, timeout_ms);
    }

    /// What the present statement is planned against.
    pub(crate) async fn context(&mut self) -> Result<Arc<QueryContext>> {
        self.context_for(true).await
    }

    /// As [`Session::context`], for a statement that does not ask whose the rows are that its
    /// transaction wrote: many that add some would each have to find it out for all before them.
    pub(crate) async fn context_to_add(&mut self) -> Result<Arc<QueryContext>> {
        self.context_for(false).await
    }

    async fn context_for(&mut self, reads: bool) -> Result<Arc<QueryContext>> {
        let snapshot = self.snapshot(reads).await?;
        let snapshot = self.as_of(snapshot)?;
        let basis = self.basis(&snapshot);
        let settings = self.settings(&basis);
        Ok(Arc::new(QueryContext {
            engine: Arc::clone(&self.engine),
            session: Arc::clone(&self.shared),
            database: Arc::clone(&self.database),
            store: Arc::clone(&self.store),
            listings: Arc::new(Listings::new(&snapshot.catalog)),
            snapshot,
            role: Arc::clone(&basis.role),
            rights: Arc::clone(&basis.rights),
            settings,
            search_path: Arc::clone(&basis.search_path),
            state: Arc::clone(&basis.state),
            started_at: self.transaction_start(),
            clear: false,
            given: self.given.clone(),
            basis,
            facts: std::sync::OnceLock::new(),
        }))
    }

    /// Forgets the temporary relations.
    pub(crate) fn discard_temporary(&mut self) {
        self.temporary = Arc::new(self.temporary.cleared());
        self.forget_work();
    }

    /// Adds something to tell the client.
    pub(crate) fn notice(
        &self,
        severity: &'static str,
        sqlstate: &'static str,
        message: impl Into<String>,
    ) {
        let error = Error { severity, ..Error::new(sqlstate, message) };
        self.shared.notices.lock().push(Notice::Message(error));
    }

    /// Tells the client of changed settings.
    pub(crate) fn report(&self, changes: impl IntoIterator<Item = (String, String)>) {
        let mut notices = self.shared.notices.lock();
        notices.extend(changes.into_iter().map(|(name, value)| Notice::Parameter(name, value)));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.terminated.cancel();
        self.engine.forget(self.shared.pid);
    }
}

fn initial_settings(
    (role, database): (&Role, &Database),
    startup: &Startup,
    most: usize,
) -> Result<Settings> {
    let mut settings = Settings::default();
    let of_role = |wanted: Oid| {
        let here = role.settings.iter().filter(move |one| one.database == wanted);
        here.map(|one| (one.name.as_str(), one.value.as_str()))
    };
    let of_database = database.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // The nearer wins: the role's in this database, the role's, the database's.
    for (name, value) in of_database.chain(of_role(0)).chain(of_role(database.oid)) {
        settings.set(name, value, false)?;
    }
    settings.force("is_superuser", if role.superuser { "on" } else { "off" });
    settings.force("session_authorization", &role.name);
    settings.force("max_connections", &most.to_string());
    settings.force("ssl", if startup.tls.is_some() { "on" } else { "off" });
    for (name, value) in &startup.parameters {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => {
                for (name, value) in options(value) {
                    settings.set(&name, &value, false)?;
                }
            }
            name if name.starts_with("_pq_.") => {}
            name => drop(settings.set(name, value, false)?),
        }
    }
    settings.keep_as_initial();
    Ok(settings)
}

/// `-c name=value --name=value` of the start-up message's `options`; backslash quotes a space.
fn options(text: &str) -> Vec<(String, String)> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => words.extend_last(characters.next()),
            ' ' => words.push(String::new()),
            other => words.extend_last(Some(other)),
        }
    }
    let words = words.iter().map(String::as_str).filter(|word| !word.is_empty() && *word != "-c");
    let plain = words.map(|word| word.trim_start_matches("-c").trim_start_matches("--"));
    plain
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.replace('-', "_"), value.to_owned()))
        .collect()
}

trait ExtendLast {
    fn extend_last(&mut self, character: Option<char>);
}

impl ExtendLast for Vec<String> {
    fn extend_last(&mut self, character: Option<char>) {
        if let (Some(last), Some(character)) = (self.last_mut(), character) {
            last.push(character);
        }
    }
}

/// Sorts on one thread that memory should be enough for.
const SORTS_AT_ONCE: usize = 32;
/// Least and most bytes that a sort sets aside for merging; DataFusion's default is the most.
const SORT_RESERVE_BYTES: (usize, usize) = (256 << 10, 10 << 20);

fn session_state(engine: &Arc<Engine>, database: Oid) -> SessionState {
    let mut config = SessionConfig::new()
        .with_information_schema(false)
        .with_target_partitions(engine.options.cpu_threads.max(1))
        .with_batch_size(8192);
    let options = config.options_mut();
    // Every sort that may spill sets this aside before its first row: of a small memory, a small part.
    let sorts = SORTS_AT_ONCE * engine.options.cpu_threads.max(1);
    options.execution.sort_spill_reservation_bytes =
        (engine.options.memory_bytes / sorts).clamp(SORT_RESERVE_BYTES.0, SORT_RESERVE_BYTES.1);
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.enable_subquery_sort_elimination = false;
    options.execution.parquet.pushdown_filters = false;
    options.execution.parquet.schema_force_view_types = true;
    options.catalog.create_default_catalog_and_schema = false;
    options.optimizer.use_statistics_registry = true;
    // It also compares what fields say of their origin, in which a union of tables differs once
    // columns have been pruned from it.
    options.execution.skip_physical_aggregate_schema_check = true;
    let mut rules = PhysicalOptimizer::new().rules;
    // Before repartitioning and sorts are planned: its operator needs no sort.
    rules.insert(0, Arc::new(GroupedWindows));
    rules.push(Arc::new(JoinBarriers));
    rules.push(Arc::new(Cooperate));
    rules.push(Arc::new(InOrder));
    rules.push(Arc::new(ProbeByIndex));
    let mut optimizer = Optimizer::new();
    FiltersDown::replace(&mut optimizer.rules);
    optimizer.rules.insert(0, Arc::new(DistinctOnFirstRow));
    optimizer.rules.push(Arc::new(LatePseudonyms));
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_optimizer_rules(optimizer.rules)
        .with_runtime_env(Arc::clone(&engine.runtime_env))
        .with_statistics_registry(planning::sizes::registry())
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .with_query_planner(Arc::new(SharingPlanner::new(&engine.memberships, database)))
        .build();
    planning::add_analyzer_rules(&mut state);
    let registry: &mut dyn datafusion::execution::FunctionRegistry = &mut state;
    for function in functions::scalar_functions() {
        let _ = registry.register_udf(function);
    }
    for function in functions::aggregate_functions() {
        let _ = registry.register_udaf(function);
    }
    for function in functions::window_functions() {
        let _ = registry.register_udwf(function);
    }
    let _ = registry.register_expr_planner(Arc::new(functions::Operators));
    state
}
