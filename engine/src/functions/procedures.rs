//! Procedures: what `CALL` runs. `SELECT` reads, `CALL` changes.
//!
//! A procedure is declared in one place: its schema and name, its parameters with their types and
//! defaults, what it returns, one sentence about it, and its kernel. A feature puts its
//! declarations into a `PROCEDURES` table of its own and adds that table to [`all`]; its schema is
//! one of [`clientele_catalog::features`].
//!
//! ```sql
//! CALL clientele.compact('shop.orders');
//! CALL clientele.compact(table_name => 'shop.orders');
//! ```

use std::sync::Arc;

use clientele_catalog::definition::Relation;
use clientele_catalog::pg_catalog::JobKind;
use clientele_catalog::privileges::predefined::WRITE_SERVER_FILES;
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::scalar::ScalarValue;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::publishing;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::job::Job;
use crate::sql;

/// What a procedure does: typed arguments in the order of its parameters; rows of its columns, or
/// nothing.
pub type Kernel =
    for<'a> fn(&'a mut Session, Vec<ScalarValue>) -> BoxFuture<'a, Result<Option<RecordBatch>>>;

/// A parameter of a procedure.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name, for `name => value`.
    pub name: &'static str,
    /// Arguments are cast to it as an assignment casts.
    pub pg_type: PgType,
    /// SQL of its default; `None`: the argument must be given.
    pub default: Option<&'static str>,
}

/// A procedure.
#[derive(Clone, Copy)]
pub struct Procedure {
    /// Its schema, one of [`clientele_catalog::features`].
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// Its result columns; empty: it returns nothing.
    pub columns: &'static [(&'static str, PgType)],
    /// One sentence for `\df+`.
    pub comment: &'static str,
    /// What it does.
    pub kernel: Kernel,
}

/// Every procedure.
pub fn all() -> impl Iterator<Item = &'static Procedure> {
    let own = PROCEDURES.iter().chain(publishing::PROCEDURES);
    let features = crate::identity::PROCEDURES.iter().chain(crate::identity::MATCHING);
    let more = crate::customers::PROCEDURES.iter().chain(crate::gdpr::PROCEDURES);
    let privacy = crate::privacy::PROCEDURES.iter().chain(crate::consent::PROCEDURES);
    own.chain(features).chain(more).chain(privacy).chain(crate::standard::PROCEDURES)
}

/// The procedure of that schema and name.
pub fn find(schema: &str, name: &str) -> Option<&'static Procedure> {
    all().find(|procedure| procedure.schema == schema && procedure.name == name)
}

/// How a procedure is called: `clientele.compact(table_name text DEFAULT NULL)`.
pub fn signature(procedure: &Procedure) -> String {
    let parameter = |one: &Parameter| {
        let default = one.default.map(|default| format!(" DEFAULT {default}")).unwrap_or_default();
        format!("{} {}{default}", one.name, one.pg_type.sql_name())
    };
    let parameters: Vec<String> = procedure.parameters.iter().map(parameter).collect();
    format!("{}.{}({})", procedure.schema, procedure.name, parameters.join(", "))
}

static PROCEDURES: &[Procedure] = &[
    Procedure {
        schema: "clientele",
        name: "flush",
        parameters: &[],
        columns: &[],
        comment: "writes rows in memory to files and shortens the log",
        kernel: |session, _| Box::pin(flush(session)),
    },
    Procedure {
        schema: "clientele",
        name: "compact",
        parameters: &[Parameter {
            name: "table_name",
            pg_type: PgType::TEXT,
            default: Some("NULL"),
        }],
        columns: &[],
        comment: "merges small files and files with deleted rows, of one table or of all",
        kernel: |session, arguments| Box::pin(compact(session, arguments)),
    },
];

async fn flush(session: &mut Session) -> Result<Option<RecordBatch>> {
    superuser(session, "clientele.flush")?;
    let job = Job::new(&session.shared, JobKind::Checkpoint, 0);
    session.store.flush_watched(job.progress()).await?;
    Ok(None)
}

async fn compact(
    session: &mut Session,
    arguments: Vec<ScalarValue>,
) -> Result<Option<RecordBatch>> {
    let table = match text(&arguments, 0) {
        None => {
            superuser(session, "clientele.compact")?;
            None
        }
        Some(name) => Some(owned_table(session, name).await?),
    };
    let job = Job::new(&session.shared, JobKind::Vacuum, table.unwrap_or(0));
    session.store.compact(table, job.progress()).await?;
    Ok(None)
}

/// One row of a procedure's result.
pub(crate) fn result(columns: &[(&str, PgType)], values: Vec<ArrayRef>) -> Result<RecordBatch> {
    let fields = columns.iter().map(|(name, pg_type)| pg_type.field(name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, values).map_err(Error::internal)
}

/// The text of an argument; `None` for NULL.
pub fn text(arguments: &[ScalarValue], index: usize) -> Option<&str> {
    match arguments.get(index) {
        Some(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
        ) => Some(text),
        _ => None,
    }
}

pub(crate) fn superuser(session: &Session, procedure: &str) -> Result<()> {
    match session.role.superuser {
        true => Ok(()),
        false => Err(Error::new("42501", format!("permission denied for procedure {procedure}"))
            .with_detail("Only roles with the SUPERUSER attribute may call it.")),
    }
}

/// Refuses who may not write files of the server, as COPY does.
///
/// # Errors
/// 42501.
pub(crate) fn file_writer(session: &Session, procedure: &str) -> Result<()> {
    let rights = session.engine.cluster.rights(session.role.oid, session.database.oid);
    match rights.owns(WRITE_SERVER_FILES) {
        true => Ok(()),
        false => Err(Error::new("42501", format!("permission denied for procedure {procedure}"))
            .with_detail(
                "Only roles with privileges of the \"pg_write_server_files\" role may call it.",
            )),
    }
}

/// The OID of a table that the current role owns, from its name as `regclass` reads it.
async fn owned_table(session: &mut Session, name: &str) -> Result<u32> {
    Ok(owned_relation(session, name).await?.oid)
}

/// A relation with rows that the current role owns, from its name as `regclass` reads it.
pub(super) async fn owned_relation(session: &mut Session, name: &str) -> Result<Arc<Relation>> {
    let name = match sql::parse::expression(name)? {
        ast::Expr::Identifier(one) => ast::ObjectName::from(vec![one]),
        ast::Expr::CompoundIdentifier(parts) => ast::ObjectName::from(parts),
        _ => return Err(Error::new("42602", "invalid name syntax")),
    };
    let context = session.context().await?;
    let relation = context.relation(&name)?;
    if !relation.stores_rows() {
        return Err(Error::new("42809", format!("\"{}\" stores no rows", relation.name)));
    }
    context.must_own_relation(&relation)?;
    Ok(relation)
}
