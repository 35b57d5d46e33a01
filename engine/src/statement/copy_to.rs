//! `COPY … TO` (manual: sql-copy): rows of a query → the client or a file of the server.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use clientele_catalog::definition::Column as Definition;
use datafusion::logical_expr::LogicalPlan;
use futures::{Stream, StreamExt, stream};
use sqlparser::ast::{Expr, ObjectName, Query, SelectItem, SetExpr};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::rows;
use crate::api::{BatchStream, ByteStream, Column, CopyFormat, Outcome};
use crate::copy::dialect::Dialect;
use crate::copy::parquet;
use crate::copy::progress::{CopyProgress, Shown};
use crate::copy::server_file::{self, Direction};
use crate::copy::writer::{Writer, Written};
use crate::error::{Error, Result};
use crate::planning;
use crate::planning::context::{Named, QueryContext};
use crate::session::Session;
use crate::sql::copy::{CopyPlace, Format};
use crate::sql::place::name_parts;
use crate::sql::{CopyOptions, CopyTo};

/// Lists of pieces that may wait for the client, so that the data stream in constant memory.
const PIECES_WAITING: usize = 2;

/// Runs a COPY TO.
pub(super) async fn execute(session: &mut Session, copy: &CopyTo) -> Result<Outcome> {
    if let CopyPlace::File(path) = &copy.place {
        server_file::allow(session, path, Direction::Write)?;
    }
    let dialect = Dialect::new(&copy.options, false)?;
    let context = session.context().await?;
    let mut query = copy.query.as_ref().clone();
    if let Some(table) = &copy.table {
        leave_out_generated(&context, table, &mut query)?;
    }
    let planning = Arc::clone(&context);
    let planned =
        session.compute(async move { planning::plan_query(&planning, query, &[]) }).await?;
    let columns = written(&planned.columns, &copy.options)?;
    let progress = CopyProgress {
        command: "COPY TO",
        kind: if copy.place == CopyPlace::Client { "PIPE" } else { "FILE" },
        ..CopyProgress::default()
    };
    let shown = Shown::new(&session.shared, progress);
    let format = dialect.format;
    let plan = planned.plan.clone();
    let rows = session.stream(&context, planned.plan).await?;
    let writing = Writing { session, rows, shown };
    match &copy.place {
        CopyPlace::Client if format == Format::Parquet => {
            Err(Error::unsupported("COPY TO STDOUT in Parquet format"))
        }
        CopyPlace::Client => {
            let column_count = columns.len();
            let writer = Writer::new(dialect, columns, writing.session.output_style());
            writing.stream_to_client(writer, column_count, format)
        }
        CopyPlace::File(path) if format == Format::Parquet => {
            writing.write_parquet(path, (columns, plan)).await
        }
        CopyPlace::File(path) => {
            let writer = Writer::new(dialect, columns, writing.session.output_style());
            writing.write_file(path, writer).await
        }
    }
}

/// A table is copied without its generated columns (manual: sql-copy), so that it can be copied
/// back.
fn leave_out_generated(
    context: &QueryContext,
    table: &ObjectName,
    query: &mut Query,
) -> Result<()> {
    let Some(Named::Relation(relation)) = context.find_relation(&name_parts(table))? else {
        return Ok(());
    };
    if relation.foreign().is_some() {
        let text = format!("cannot copy from foreign table \"{}\"", relation.name);
        return Err(Error::new("42809", text).with_hint("Try the COPY (SELECT ...) TO variant."));
    }
    if relation.live_columns().all(|column| column.generated.is_none()) {
        return Ok(());
    }
    if let SetExpr::Select(select) = query.body.as_mut() {
        let kept = relation.live_columns().filter(|column| column.generated.is_none());
        let item = |column: &Definition| {
            SelectItem::UnnamedExpr(Expr::Identifier(rows::quoted(&column.name)))
        };
        select.projection = kept.map(item).collect();
    }
    Ok(())
}

/// The columns of the result, with their options.
fn written(columns: &[Column], options: &CopyOptions) -> Result<Vec<Written>> {
    let forced = options.force_quote.as_deref();
    let unknown = forced
        .unwrap_or_default()
        .iter()
        .find(|name| !columns.iter().any(|one| one.name == **name));
    if let Some(name) = unknown {
        return Err(Error::new("42703", format!("column \"{name}\" does not exist")));
    }
    let force_quote = |column: &Column| {
        forced.is_some_and(|names| names.is_empty() || names.contains(&column.name))
    };
    let written = |column: &Column| Written {
        name: column.name.clone(),
        pg_type: column.pg_type,
        force_quote: force_quote(column),
    };
    Ok(columns.iter().map(written).collect())
}

/// A COPY TO whose rows are coming.
struct Writing<'s> {
    session: &'s Session,
    rows: BatchStream,
    shown: Shown,
}

impl Writing<'_> {
    fn stream_to_client(
        self,
        writer: Writer,
        column_count: usize,
        format: Format,
    ) -> Result<Outcome> {
        let format = if format == Format::Binary { CopyFormat::Binary } else { CopyFormat::Text };
        let (sender, receiver) = mpsc::channel(PIECES_WAITING);
        let count = Arc::new(AtomicU64::new(0));
        let (mut rows, shown, counter) = (self.rows, self.shown, Arc::clone(&count));
        let task = self.session.engine.cpu()?.spawn(async move {
            let error = match send(&mut rows, &writer, (&sender, &counter, &shown)).await {
                Ok(()) => return,
                Err(error) => error,
            };
            let _ = sender.send(Err(error)).await;
        });
        let stream = pieces(receiver, AbortOnDropHandle::new(task));
        let stream: ByteStream = Box::pin(stream);
        Ok(Outcome::CopyOut { format, column_count, stream, rows: count })
    }

    async fn write_file(self, path: &str, writer: Writer) -> Result<Outcome> {
        let Self { session, mut rows, shown } = self;
        let path = path.to_owned();
        let count = session.compute(async move {
            let file = std::fs::File::create(&path)
                .map_err(|error| server_file::not_opened(&path, Direction::Write, &error))?;
            let mut file = std::io::BufWriter::with_capacity(256 << 10, file);
            let failed =
                |error: std::io::Error| server_file::failed(&path, Direction::Write, &error);
            let mut count = 0;
            file.write_all(&writer.header().unwrap_or_default()).map_err(failed)?;
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                for piece in writer.rows(&batch)? {
                    shown.progress().add_bytes(piece.len());
                    file.write_all(&piece).map_err(failed)?;
                }
                shown.progress().add_rows(batch.num_rows());
                count += batch.num_rows();
            }
            file.write_all(&writer.trailer().unwrap_or_default()).map_err(failed)?;
            file.flush().map_err(failed)?;
            Ok(count)
        });
        count.await.map(|count| Outcome::Done(format!("COPY {count}")))
    }

    async fn write_parquet(
        self,
        path: &str,
        (columns, plan): (Vec<Written>, LogicalPlan),
    ) -> Result<Outcome> {
        let Self { session, mut rows, shown } = self;
        let (path, style) = (path.to_owned(), session.output_style());
        let count = session.compute(async move {
            let mut sink =
                parquet::Sink::create(&path, (columns, plan.schema().as_arrow()), style)?;
            let mut count = 0;
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                sink.write(&batch)?;
                shown.progress().add_rows(batch.num_rows());
                count += batch.num_rows();
            }
            sink.finish()?;
            Ok(count)
        });
        count.await.map(|count| Outcome::Done(format!("COPY {count}")))
    }
}

type Pieces = Result<Vec<Bytes>>;

/// Writes all rows for the client.
async fn send(
    rows: &mut BatchStream,
    writer: &Writer,
    (sender, counter, shown): (&mpsc::Sender<Pieces>, &AtomicU64, &Shown),
) -> Result<()> {
    let mut waiting: Vec<Bytes> = writer.header().into_iter().collect();
    let mut first = true;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        waiting.extend(writer.rows(&batch)?);
        if std::mem::take(&mut first) {
            join_header(writer, &mut waiting);
        }
        counter.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        shown.progress().add_rows(batch.num_rows());
        shown.progress().add_bytes(waiting.iter().map(Bytes::len).sum());
        if sender.send(Ok(std::mem::take(&mut waiting))).await.is_err() {
            return Ok(());
        }
    }
    waiting.extend(writer.trailer());
    if first {
        join_header(writer, &mut waiting);
    }
    // When the client is gone there is nobody to tell.
    let _ = sender.send(Ok(waiting)).await;
    Ok(())
}

/// The binary header comes in one message with what follows, as PostgreSQL sends it: ADBC reads a
/// row after it without looking for the next message.
fn join_header(writer: &Writer, pieces: &mut Vec<Bytes>) {
    if writer.is_binary() && pieces.len() > 1 {
        let row = pieces.remove(1);
        if let Some(header) = pieces.first_mut() {
            *header = [header.as_ref(), row.as_ref()].concat().into();
        }
    }
}

/// The pieces as they come. Dropping the stream ends the work.
fn pieces(
    receiver: mpsc::Receiver<Pieces>,
    task: AbortOnDropHandle<()>,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let lists = stream::unfold((receiver, Some(task)), |(mut receiver, task)| async move {
        if let Some(list) = receiver.recv().await {
            return Some((list, (receiver, task)));
        }
        // The channel also closes when the task panics: that must not look like the end.
        match task?.await {
            Ok(()) => None,
            Err(_) => {
                let error = Error::internal("the statement failed in an unexpected way");
                Some((Err(error), (receiver, None)))
            }
        }
    });
    lists.flat_map(|list| match list {
        Ok(pieces) => stream::iter(pieces.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    })
}
