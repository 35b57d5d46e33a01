//! What the engine and the wire say to one another. Plain data, no behaviour.

use std::pin::Pin;

use bytes::Bytes;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::RecordBatch;
use futures::Stream;

use crate::error::Error;

/// What a client says when it connects, after authentication.
#[derive(Debug, Clone, Default)]
pub struct Startup {
    /// The role that was authenticated.
    pub role: String,
    /// The database it wants.
    pub database: String,
    /// Other start-up parameters: `application_name`, `options`, `client_encoding`, settings.
    pub parameters: Vec<(String, String)>,
    /// Where it comes from; `None`: in process.
    pub peer: Option<std::net::SocketAddr>,
    /// How the connection is encrypted; `None`: not at all.
    pub tls: Option<Encryption>,
}

/// How a connection is encrypted, in the words of `pg_stat_ssl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// `TLSv1.3`.
    pub version: String,
    /// `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

/// A result column, as RowDescription describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name; may repeat within a result.
    pub name: String,
    /// Type and modifier (of the base type for a domain).
    pub pg_type: PgType,
    /// OID of the table that the column comes from unchanged, else 0.
    pub table: u32,
    /// Its number there, else 0.
    pub number: i16,
}

/// State of the session's transaction, as ReadyForQuery tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `I`.
    Idle,
    /// `T`.
    InTransaction,
    /// `E`.
    Failed,
}

/// A stream of batches; the columns of a batch are those of [`Rows::columns`], in order.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<RecordBatch, Error>> + Send + Sync>>;

/// A stream of COPY data, cut anywhere.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// Rows on their way to a client.
pub struct Rows {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows. Dropping it stops the work.
    pub stream: BatchStream,
    /// How the command tag ends: `SELECT` gets the number of rows sent, `SHOW` none.
    pub tag: RowsTag,
}

/// The command tag of a statement that returns rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowsTag {
    /// The verb with the number of rows sent: `SELECT 5`, `FETCH 2`.
    Counted(&'static str),
    /// A fixed text: `SHOW`, `INSERT 0 3` (RETURNING), `EXPLAIN`.
    Fixed(String),
}

/// Format of COPY data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Text or csv: format code 0.
    Text,
    /// Binary: format code 1.
    Binary,
}

/// What a statement leads to.
pub enum Outcome {
    /// An empty statement: EmptyQueryResponse.
    Empty,
    /// Done; the command tag.
    Done(String),
    /// Rows.
    Rows(Rows),
    /// The client is to send data: `column_count` columns. Feed [`CopyIn`].
    CopyIn(Box<dyn CopyIn>),
    /// The client gets data.
    CopyOut {
        /// Format of all columns.
        format: CopyFormat,
        /// How many columns there are.
        column_count: usize,
        /// The data; the number of rows is known at its end through [`CopyTag`].
        stream: ByteStream,
        /// Rows sent so far.
        rows: std::sync::Arc<std::sync::atomic::AtomicU64>,
    },
}

/// Receives the data of `COPY … FROM STDIN`. Dropped before [`CopyIn::finish`], nothing is kept.
#[async_trait::async_trait]
pub trait CopyIn: Send {
    /// Format of all columns.
    fn format(&self) -> CopyFormat;
    /// How many columns there are.
    fn column_count(&self) -> usize;
    /// Where the data are, as errors say it: `COPY orders, line 7`.
    fn place(&self) -> String;
    /// Takes the next piece, cut anywhere.
    ///
    /// # Errors
    /// What the data do wrong; the statement has failed then.
    async fn write(&mut self, data: Bytes) -> Result<(), Error>;
    /// Ends the data and returns the command tag, `COPY 5`.
    ///
    /// # Errors
    /// What the data do wrong, constraint violations included.
    async fn finish(self: Box<Self>) -> Result<String, Error>;
}

/// Something the client is told beside the answer.
#[derive(Debug, Clone)]
pub enum Notice {
    /// NoticeResponse; its severity is `NOTICE`, `WARNING`, `INFO`, `LOG` or `DEBUG`.
    Message(Error),
    /// ParameterStatus: a reported setting has a new value.
    Parameter(String, String),
    /// NotificationResponse.
    Notification {
        /// The notifying session.
        pid: i32,
        /// Channel.
        channel: String,
        /// Payload.
        payload: String,
    },
}
