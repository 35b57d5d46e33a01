//! The session's transaction: implicit around a statement, or explicit between BEGIN and COMMIT.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clientele_catalog::definition::{ON_COMMIT, Oid};
use clientele_catalog::storage::{Savepoint, Snapshot, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Session;
use super::object_locks::Held;
use crate::error::{Error, Result};
use crate::functions;
use crate::planning::context::QueryContext;
use crate::privacy::audit::Entry;
use crate::refresh::State;
use crate::sql::{Body, TransactionModes, TransactionStatement};

/// An open transaction.
pub(super) struct Open {
    /// What it has done; begun with the first statement that looks at data.
    pub(super) work: Option<Arc<Mutex<Transaction>>>,
    /// Between BEGIN and COMMIT.
    pub(super) explicit: bool,
    /// A statement has failed.
    pub(super) failed: bool,
    started_at: DateTime<Utc>,
    /// The statement that the snapshot was taken for.
    snapshot_for: u64,
    savepoints: Vec<(String, Option<Savepoint>)>,
    /// Nobody else refreshes materialized views before it ends.
    refreshing: Option<OwnedMutexGuard<()>>,
    /// Views that it refreshed.
    refreshed: Vec<(Oid, State)>,
    /// Relations that nobody else changes before it ends.
    held: Option<Held>,
}

impl Open {
    fn new(explicit: bool) -> Self {
        Self {
            work: None,
            explicit,
            failed: false,
            started_at: Utc::now(),
            snapshot_for: 0,
            savepoints: Vec::new(),
            refreshing: None,
            refreshed: Vec::new(),
            held: None,
        }
    }
}

impl Session {
    /// Opens an implicit transaction unless one is open.
    pub(crate) fn begin_implicit(&mut self) {
        if self.transaction.is_none() {
            self.shared.settings.lock().begin();
            self.transaction = Some(Open::new(false));
        }
    }

    /// When the transaction began; now, when none is open.
    pub(super) fn transaction_start(&self) -> DateTime<Utc> {
        self.transaction.as_ref().map_or_else(Utc::now, |open| open.started_at)
    }

    /// What the next statement sees. READ COMMITTED takes a new snapshot for each statement, as
    /// long as the transaction has written nothing (manual: transaction-iso). One that `reads` sees
    /// whose the rows are that the transaction wrote.
    pub(super) async fn snapshot(&mut self, reads: bool) -> Result<Arc<Snapshot>> {
        let fresh = self.shared.settings.lock().raw("transaction_isolation").starts_with("read");
        let statement = self.shared.serial();
        let work = self.work().await?;
        let mut transaction = work.lock().await;
        if let Some(open) = self.transaction.as_mut()
            && fresh
            && open.snapshot_for != statement
            && transaction.is_read_only()
            && !transaction.has_temporary_changes(&self.temporary)
            && open.savepoints.is_empty()
        {
            let mut next = self.store.begin(Arc::clone(&self.temporary));
            next.defer_as(&transaction);
            *transaction = next;
            open.snapshot_for = statement;
        }
        if reads {
            transaction.recognise().await?;
        }
        Ok(Arc::clone(transaction.snapshot()))
    }

    /// The transaction to write to, over the snapshot that the statement was planned for: a row
    /// that was found in one snapshot may be elsewhere, or another's, in the next.
    pub(crate) async fn work(&mut self) -> Result<Arc<Mutex<Transaction>>> {
        self.begin_implicit();
        let statement = self.shared.serial();
        let Some(open) = self.transaction.as_mut() else {
            return Err(Error::internal("no transaction"));
        };
        if open.work.is_none() {
            open.snapshot_for = statement;
        }
        let begin = || Arc::new(Mutex::new(self.store.begin(Arc::clone(&self.temporary))));
        Ok(Arc::clone(open.work.get_or_insert_with(begin)))
    }

    /// Waits until no other transaction refreshes materialized views; from then on, none does until
    /// this one ends.
    ///
    /// # Errors
    /// 57014 when stopped.
    pub(crate) async fn refresh_alone(&mut self) -> Result<()> {
        self.begin_implicit();
        let Some(open) = self.transaction.as_mut().filter(|open| open.refreshing.is_none()) else {
            return Ok(());
        };
        let refreshes = self.engine.workers.of(self.database.oid);
        let token = self.shared.token();
        tokio::select! {
            () = token.cancelled() => return Err(self.shared.stop_error()),
            alone = refreshes.alone() => open.refreshing = Some(alone),
        }
        // What others have committed meanwhile is to be seen.
        if let Some(work) = &open.work
            && work.lock().await.is_read_only()
        {
            open.snapshot_for = 0;
        }
        Ok(())
    }

    /// The context of a statement that changes relations: waits until no other transaction changes
    /// them, and sees what it has done.
    ///
    /// # Errors
    /// What `find` refuses; 40P01, 55P03, 57014 while waiting.
    pub(crate) async fn context_to_change(
        &mut self,
        find: impl Fn(&QueryContext) -> Result<Vec<Oid>>,
    ) -> Result<Arc<QueryContext>> {
        loop {
            let context = self.context().await?;
            let oids = find(context.as_ref())?;
            if oids.is_empty() || !self.hold(&oids).await? {
                return Ok(context);
            }
        }
    }

    /// Holds relations. Returns whether it had to wait.
    async fn hold(&mut self, oids: &[Oid]) -> Result<bool> {
        let locks = self.engine.object_locks(self.database.oid);
        let (token, pid) = (self.shared.token(), self.shared.pid);
        let timeout = match self.shared.settings.lock().milliseconds("lock_timeout") {
            0 => Duration::MAX,
            timeout_ms => Duration::from_millis(timeout_ms),
        };
        let Some(open) = self.transaction.as_mut() else { return Ok(false) };
        let held = open.held.get_or_insert_with(|| locks.of(pid));
        let waited = tokio::select! {
            () = token.cancelled() => return Err(self.shared.stop_error()),
            waited = tokio::time::timeout(timeout, held.take(oids)) => waited,
        };
        let waited = waited
            .map_err(|_| Error::new("55P03", "canceling statement due to lock timeout"))??;
        // What others have committed meanwhile is to be seen.
        if waited
            && let Some(work) = &open.work
            && work.lock().await.is_read_only()
        {
            open.snapshot_for = 0;
        }
        Ok(waited)
    }

    /// Notes that the transaction has refreshed a view: it counts once that is committed.
    pub(crate) fn refreshed(&mut self, view: Oid, state: State) {
        if let Some(open) = self.transaction.as_mut() {
            open.refreshed.push((view, state));
        }
    }

    /// Lets the next statement begin with the session's temporary relations as they are now.
    pub(crate) fn forget_work(&mut self) {
        if let Some(open) = self.transaction.as_mut() {
            open.work = None;
        }
    }

    /// Refuses to write in a read-only transaction.
    pub(crate) fn writable(&self, tag: &str) -> Result<()> {
        // A statement outside of a block may ask before its own transaction has begun.
        let setting = match self.transaction {
            Some(_) => "transaction_read_only",
            None => "default_transaction_read_only",
        };
        if self.shared.settings.lock().raw(setting) == "on" {
            return Err(Error::new(
                "25006",
                format!("cannot execute {tag} in a read-only transaction"),
            ));
        }
        Ok(())
    }

    /// Says that the statements to come are one string's, which is a block of its own (manual:
    /// protocol-flow, multiple statements in a simple query).
    pub fn in_implicit_block(&mut self, several: bool) {
        self.implicit_block = several;
    }

    /// Refuses statements that cannot be part of a transaction block.
    pub(crate) fn outside_block(&self, tag: &str) -> Result<()> {
        if self.implicit_block || self.in_block() {
            return Err(Error::new(
                "25001",
                format!("{tag} cannot run inside a transaction block"),
            ));
        }
        Ok(())
    }

    /// Whether BEGIN was said.
    pub(crate) fn in_block(&self) -> bool {
        self.transaction.as_ref().is_some_and(|open| open.explicit)
    }

    /// The current transaction has failed: nothing but its end is accepted any more.
    pub fn fail(&mut self) {
        self.begin_implicit();
        if let Some(open) = self.transaction.as_mut() {
            open.failed = true;
        }
    }

    /// Ends an implicit transaction: commits, or rolls back after a failure.
    ///
    /// # Errors
    /// What the commit refuses: 40001, 23505, 53100 …
    pub async fn sync(&mut self) -> Result<()> {
        let implicit = self.transaction.as_ref().is_some_and(|open| !open.explicit);
        let result = match implicit {
            true => {
                let finished = self.finish(true).await;
                finished.map(drop).map_err(|error| self.without_values(error))
            }
            false => Ok(()),
        };
        let (state, since) = match &self.transaction {
            Some(open) if open.failed => ("idle in transaction (aborted)", Some(open.started_at)),
            Some(open) => ("idle in transaction", Some(open.started_at)),
            None => ("idle", None),
        };
        self.shared.rest(state, since);
        result
    }

    /// Ends the transaction. Returns whether it was committed.
    async fn finish(&mut self, commit: bool) -> Result<bool> {
        let Some(open) = self.transaction.take() else { return Ok(true) };
        let commit = commit && !open.failed;
        // Held until the commit is done.
        let _refreshing = open.refreshing;
        let _held = open.held;
        let decisions = std::mem::take(&mut self.shared.noted.lock().decisions);
        let begin = || Arc::new(Mutex::new(self.store.begin(Arc::clone(&self.temporary))));
        let work = open.work.or_else(|| (!decisions.is_empty()).then(begin));
        let result = match (work, commit) {
            (Some(work), true) => self.commit(work, &decisions).await,
            _ => Ok(()),
        };
        let committed = commit && result.is_ok();
        if committed {
            let refreshes = self.engine.workers.of(self.database.oid);
            for (view, state) in open.refreshed {
                refreshes.note(view, |known| *known = state);
            }
        }
        let changes = self.shared.settings.lock().end(committed);
        self.report(changes);
        self.end_cursors(committed);
        self.end_notifications(committed);
        result.map(|()| committed)
    }

    /// Tells the client how many rows of people who were erased do not come in.
    fn tell_held_back(&self, transaction: &Transaction) {
        for (relation, count) in transaction.held_back() {
            let catalog = &transaction.snapshot().catalog;
            let name = catalog.relation_by_oid(*relation).map(|one| catalog.qualified_name(one));
            let rows = if *count == 1 { "row" } else { "rows" };
            let name = name.unwrap_or_default();
            self.notice(
                "WARNING",
                "01000",
                format!("{count} {rows} of people who were erased did not come into {name}"),
            );
        }
    }

    /// Drops or empties the temporary tables that are for one transaction (`ON COMMIT`).
    fn end_temporary(&self, transaction: &mut Transaction) {
        let catalog = Arc::clone(&transaction.snapshot().catalog);
        let schema = self.temporary.schema().oid;
        if catalog.schema_by_oid(schema).is_none() {
            return;
        }
        for relation in catalog.relations().filter(|relation| relation.schema == schema) {
            let option = relation.options.iter().find(|(name, _)| name == ON_COMMIT);
            match option.map(|(_, what)| what.as_str()) {
                Some("drop") => transaction.drop_object(relation.oid),
                Some(_) => transaction.truncate(relation.oid),
                None => {}
            }
        }
    }

    async fn commit(&mut self, work: Arc<Mutex<Transaction>>, decisions: &[Entry]) -> Result<()> {
        self.hold_cursors().await?;
        let mut transaction = alone(work).await?;
        functions::save_new_sequences(&self.shared, &mut transaction);
        transaction.check_deferred(true)?;
        self.end_temporary(&mut transaction);
        self.tell_held_back(&transaction);
        let mut chain = None;
        if !decisions.is_empty() {
            let held = self.engine.auditor.chain(&self.store, self.database.oid).await?;
            chain.insert(held).add(&mut transaction, decisions)?;
        }
        let committed = self.store.commit(transaction).await?;
        if let Some(chain) = chain {
            chain.committed();
        }
        self.temporary = committed.temporary;
        Ok(())
    }

    pub(crate) async fn run_transaction(
        &mut self,
        statement: &TransactionStatement,
    ) -> Result<String> {
        match statement {
            TransactionStatement::Begin { modes, tag } => self.begin(modes, tag).await,
            TransactionStatement::Commit { chain } => self.end_block(true, *chain, "COMMIT").await,
            TransactionStatement::Rollback { chain } => {
                self.end_block(false, *chain, "ROLLBACK").await
            }
            TransactionStatement::Savepoint(name) => self.savepoint(name).await,
            TransactionStatement::Release(name) => self.release(name),
            TransactionStatement::RollbackTo(name) => self.rollback_to(name).await,
            TransactionStatement::Constraints { names, deferred } => {
                self.set_constraints(names.as_deref(), *deferred).await
            }
        }
    }

    async fn begin(&mut self, modes: &TransactionModes, tag: &'static str) -> Result<String> {
        if self.in_block() {
            self.notice("WARNING", "25001", "there is already a transaction in progress");
        }
        self.begin_implicit();
        if let Some(open) = self.transaction.as_mut() {
            open.explicit = true;
        }
        self.set_modes(modes, false)?;
        Ok(tag.to_owned())
    }

    /// `SET TRANSACTION`, `SET SESSION CHARACTERISTICS`.
    pub(crate) fn set_modes(&mut self, modes: &TransactionModes, session: bool) -> Result<()> {
        let prefix = if session { "default_transaction" } else { "transaction" };
        let on = |flag: bool| if flag { "on" } else { "off" };
        let mut settings = self.shared.settings.lock();
        let pairs = [
            ("isolation", modes.isolation.clone()),
            ("read_only", modes.read_only.map(|flag| on(flag).to_owned())),
            ("deferrable", modes.deferrable.map(|flag| on(flag).to_owned())),
        ];
        let mut reports = Vec::new();
        for (name, value) in pairs {
            if let Some(value) = value {
                reports.extend(settings.set(&format!("{prefix}_{name}"), &value, !session)?);
            }
        }
        drop(settings);
        self.report(reports);
        Ok(())
    }

    async fn end_block(&mut self, commit: bool, chain: bool, tag: &'static str) -> Result<String> {
        let explicit = self.in_block();
        if !explicit {
            if chain {
                let text = format!("{tag} AND CHAIN can only be used in transaction blocks");
                return Err(Error::new("25P01", text));
            }
            self.notice("WARNING", "25P01", "there is no transaction in progress");
        }
        let committed = self.finish(commit).await?;
        if chain {
            self.begin(&TransactionModes::default(), "BEGIN").await?;
        }
        Ok(if commit && !committed { "ROLLBACK" } else { tag }.to_owned())
    }

    async fn savepoint(&mut self, name: &str) -> Result<String> {
        self.need_block("SAVEPOINT")?;
        let work = self.work().await?;
        let savepoint = work.lock().await.savepoint();
        if let Some(open) = self.transaction.as_mut() {
            open.savepoints.push((name.to_owned(), Some(savepoint)));
        }
        Ok("SAVEPOINT".to_owned())
    }

    fn release(&mut self, name: &str) -> Result<String> {
        self.need_block("RELEASE SAVEPOINT")?;
        let index = self.find_savepoint(name)?;
        if let Some(open) = self.transaction.as_mut() {
            open.savepoints.truncate(index);
        }
        Ok("RELEASE".to_owned())
    }

    async fn rollback_to(&mut self, name: &str) -> Result<String> {
        self.need_block("ROLLBACK TO SAVEPOINT")?;
        let index = self.find_savepoint(name)?;
        let Some(open) = self.transaction.as_mut() else {
            return Err(Error::internal("no transaction"));
        };
        open.savepoints.truncate(index + 1);
        let savepoint = open.savepoints.last().and_then(|(_, savepoint)| savepoint.clone());
        if let (Some(work), Some(savepoint)) = (&open.work, savepoint) {
            work.lock().await.rollback_to(savepoint);
        }
        open.failed = false;
        Ok("ROLLBACK".to_owned())
    }

    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let savepoints =
            self.transaction.as_ref().map(|open| open.savepoints.as_slice()).unwrap_or_default();
        savepoints
            .iter()
            .rposition(|(one, _)| one == name)
            .ok_or_else(|| Error::new("3B001", format!("savepoint \"{name}\" does not exist")))
    }

    fn need_block(&self, tag: &str) -> Result<()> {
        match self.in_block() {
            true => Ok(()),
            false => {
                Err(Error::new("25P01", format!("{tag} can only be used in transaction blocks")))
            }
        }
    }
}

/// The transaction, once the tasks of dropped statements have let go of it.
async fn alone(mut work: Arc<Mutex<Transaction>>) -> Result<Transaction> {
    for _ in 0..LETTING_GO_STEPS_MAX {
        match Arc::try_unwrap(work) {
            Ok(alone) => return Ok(alone.into_inner()),
            Err(shared) => work = shared,
        }
        tokio::time::sleep(LETTING_GO_STEP).await;
    }
    Err(Error::new("25001", "a statement of the transaction is still running"))
}

/// How long a commit waits for a dropped statement's task.
const LETTING_GO_STEP: Duration = Duration::from_millis(5);
const LETTING_GO_STEPS_MAX: usize = 400;

/// Whether a statement may follow a failed one.
pub(crate) fn ends_transaction(body: &Body) -> bool {
    matches!(
        body,
        Body::Transaction(
            TransactionStatement::Commit { .. }
                | TransactionStatement::Rollback { .. }
                | TransactionStatement::RollbackTo(_)
        )
    )
}
