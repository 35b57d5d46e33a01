//! Text → [`Statement`]: tokenised and parsed once, in PostgreSQL's dialect.
//!
//! `parse` splits a string at its semicolons and keeps each statement's text and place, so that
//! errors point into the string that the client sent. sqlparser reads what it knows; statements
//! of a session and a few that it lacks are read by [`own`] with the same tokens.

pub mod copy;
pub mod definitions;
pub mod foreign;
pub mod inline_code;
mod maintenance;
pub mod mended;
mod mended_lists;
mod mended_views;
mod merge;
pub(crate) mod normalised;
mod own;
pub mod parse;
pub mod place;
pub mod rewrite;
pub mod roles;
pub mod security_label;
pub mod sequences;
mod settled;
pub mod storage;
pub(crate) mod template;
mod with;

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast;

use crate::session::{cursors, notify};

pub use copy::{CopyFrom, CopyOptions, CopyTo};
pub use maintenance::Maintenance;
pub use mended::INFERRED;
pub use parse::parse;
pub use with::{Step as Part, Steps};

/// One statement with its text.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it says.
    pub body: Arc<Body>,
    /// Its own text, without the semicolon.
    pub text: Arc<str>,
    /// The whole string that the client sent, and where this statement begins in it (characters).
    pub source: Arc<place::Source>,
}

impl Statement {
    /// The cursor that it moves or closes.
    pub fn cursor(&self) -> Option<&str> {
        match self.body.as_ref() {
            Body::Fetch { name, .. } | Body::Close(Some(name)) => Some(name),
            _ => None,
        }
    }
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing but white space and comments.
    Empty,
    /// `SELECT`, `VALUES`, `WITH`, `TABLE`.
    Query(Box<ast::Query>),
    /// `WITH` around statements that write.
    With(Steps),
    /// `EXPLAIN`.
    Explain(Explain),
    /// Anything that sqlparser reads and a file of `statement/` runs.
    Other(Box<ast::Statement>),
    /// `COPY … FROM`.
    CopyFrom(CopyFrom),
    /// `COPY … TO`.
    CopyTo(CopyTo),
    /// `SET`, `RESET`, `SHOW`, `DISCARD`.
    Setting(SettingStatement),
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT` …
    Transaction(TransactionStatement),
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh {
        /// The view.
        name: ast::ObjectName,
        /// `WITH NO DATA`.
        no_data: bool,
    },
    /// `CREATE/ALTER ROLE`, `GRANT role TO role` …
    Role(roles::RoleStatement),
    /// `ALTER DEFAULT PRIVILEGES`.
    DefaultPrivileges(DefaultPrivileges),
    /// `SECURITY LABEL`.
    SecurityLabel(security_label::SecurityLabel),
    /// `CREATE SERVER`, `CREATE FOREIGN TABLE` …
    Foreign(Box<foreign::ForeignStatement>),
    /// `ALTER VIEW`, `CREATE DOMAIN` … as PostgreSQL writes them.
    Definition(Box<definitions::Definition>),
    /// `DECLARE name CURSOR FOR query`.
    Declare {
        /// The cursor.
        name: String,
        /// SCROLL, WITH HOLD.
        kind: cursors::Kind,
        /// Its query.
        query: Box<Statement>,
    },
    /// `FETCH`, `MOVE`.
    Fetch {
        /// The cursor.
        name: String,
        /// How far, or where to.
        step: Step,
        /// MOVE: rows are skipped, not returned.
        moves: bool,
    },
    /// `CLOSE name`; `None`: `CLOSE ALL`.
    Close(Option<String>),
    /// `PREPARE name (types) AS statement`.
    Prepare {
        /// The prepared statement's name.
        name: String,
        /// Declared parameter types.
        types: Vec<ast::DataType>,
        /// The statement.
        statement: Box<Statement>,
    },
    /// `EXECUTE name (values)`.
    Execute {
        /// The prepared statement's name.
        name: String,
        /// The arguments.
        arguments: Vec<ast::Expr>,
    },
    /// `DEALLOCATE name`; `None`: `DEALLOCATE ALL`.
    Deallocate(Option<String>),
    /// `DO`.
    Do {
        /// The language, lower case.
        language: String,
        /// The code.
        code: String,
    },
    /// `CALL procedure(arguments)`.
    Call(ast::Function),
    /// `LISTEN`, `UNLISTEN`, `NOTIFY`.
    Notification(notify::Notification),
    /// `VACUUM`, `ANALYZE`, `CLUSTER`, `CHECKPOINT`; `REINDEX` and `LOCK`, which change nothing.
    Maintenance(Maintenance),
}

impl Body {
    /// Whether it only adds rows that it brings along, and reads none.
    pub fn only_adds(&self) -> bool {
        let Self::Other(other) = self else { return matches!(self, Self::CopyFrom(_)) };
        let ast::Statement::Insert(insert) = other.as_ref() else { return false };
        let brought = |query: &ast::Query| matches!(*query.body, ast::SetExpr::Values(_));
        insert.source.as_deref().is_some_and(brought) && queries_in(insert) == 1
    }
}

/// How many queries a tree holds, those within others as well.
pub fn queries_in(tree: &impl ast::Visit) -> usize {
    struct Count(usize);
    impl ast::Visitor for Count {
        type Break = ();
        fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
    }
    let mut count = Count(0);
    let _ = tree.visit(&mut count);
    count.0
}

/// `ALTER DEFAULT PRIVILEGES`.
#[derive(Debug, Clone)]
pub struct DefaultPrivileges {
    /// `FOR ROLE`; none: the current role.
    pub roles: Vec<String>,
    /// `IN SCHEMA`; none: all.
    pub schemas: Vec<String>,
    /// A GRANT or REVOKE whose object is `TABLES`, `SEQUENCES` …
    pub change: Box<ast::Statement>,
}

/// `EXPLAIN` with its options.
#[derive(Debug, Clone)]
pub struct Explain {
    /// Runs the statement.
    pub analyze: bool,
    /// Shows more.
    pub verbose: bool,
    /// `FORMAT JSON`.
    pub json: bool,
    /// What is explained.
    pub statement: Box<Statement>,
}

/// Where a cursor moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This many rows forward; backward when negative; 0: the row that it stands on, again.
    Forward(i64),
    /// Over all rows that are left.
    ForwardAll,
    /// Over all rows before.
    BackwardAll,
    /// To this row, from 1; from the end when negative.
    Absolute(i64),
    /// To the row that is so many rows away.
    Relative(i64),
}

/// `SET`, `RESET`, `SHOW`, `DISCARD`.
#[derive(Debug, Clone)]
pub enum SettingStatement {
    /// `SET [LOCAL] name TO values`; no values: `TO DEFAULT`.
    Set {
        /// Setting.
        name: String,
        /// Values as text, already unquoted.
        values: Option<Vec<String>>,
        /// `SET LOCAL`.
        local: bool,
    },
    /// `SET [SESSION] TRANSACTION …`, `SET SESSION CHARACTERISTICS AS TRANSACTION …`.
    Transaction {
        /// The modes.
        modes: TransactionModes,
        /// For all later transactions.
        session: bool,
    },
    /// `SET ROLE`; `None`: `NONE`.
    Role(Option<String>),
    /// `SHOW name`; `all` shows everything.
    Show(String),
    /// `RESET name`; `None`: `ALL`.
    Reset(Option<String>),
    /// `DISCARD ALL | PLANS | SEQUENCES | TEMP`.
    Discard(String),
}

/// Modes of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionModes {
    /// `ISOLATION LEVEL`, lower case.
    pub isolation: Option<String>,
    /// `READ ONLY` / `READ WRITE`.
    pub read_only: Option<bool>,
    /// `[NOT] DEFERRABLE`.
    pub deferrable: Option<bool>,
}

/// Statements that begin and end transactions.
#[derive(Debug, Clone)]
pub enum TransactionStatement {
    /// `BEGIN`, `START TRANSACTION`.
    Begin {
        /// The modes.
        modes: TransactionModes,
        /// The tag: `BEGIN` or `START TRANSACTION`.
        tag: &'static str,
    },
    /// `COMMIT`, `END`.
    Commit {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint(String),
    /// `RELEASE SAVEPOINT`.
    Release(String),
    /// `ROLLBACK TO SAVEPOINT`.
    RollbackTo(String),
    /// `SET CONSTRAINTS`.
    Constraints {
        /// `None`: `ALL`.
        names: Option<Vec<Vec<String>>>,
        /// `DEFERRED`, not `IMMEDIATE`.
        deferred: bool,
    },
}
