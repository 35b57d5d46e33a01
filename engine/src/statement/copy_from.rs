//! `COPY … FROM` (manual: sql-copy): the client or a file of the server → rows of a table.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use clientele_catalog::definition::{Domain, Relation};
use clientele_udfs::input;
use clientele_udfs::output;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions,
};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use tokio::io::AsyncReadExt;

use super::{check, rows};
use crate::api::{CopyFormat, CopyIn, Outcome};
use crate::copy::dialect::Dialect;
use crate::copy::kept::Kept;
use crate::copy::load::{Check, Common, Load};
use crate::copy::parquet;
use crate::copy::progress::{CopyProgress, Shown};
use crate::copy::projection::{Origin, Projection};
use crate::copy::reader::{self, Parsed, Plan, Reader, Target};
use crate::copy::rejects::Rejects;
use crate::copy::server_file::{self, Direction};
use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::session::Session;
use crate::session::shared::SessionShared;
use crate::sql::copy::{CopyPlace, Format};
use crate::sql::place::folded;
use crate::sql::{CopyFrom, CopyOptions};

/// Small pieces are gathered up to this size.
const PIECE_BYTES: usize = 256 << 10;

/// Runs a COPY FROM.
pub(super) async fn execute(session: &mut Session, copy: &CopyFrom) -> Result<Outcome> {
    session.writable("COPY FROM")?;
    if let CopyPlace::File(path) = &copy.place {
        server_file::allow(session, path, Direction::Read)?;
    }
    let context = session.context_to_add().await?;
    let relation = rows::target(&context, &copy.table, "insert into")?;
    let dialect = Dialect::new(&copy.options, true)?;
    let columns = columns(&relation, copy)?;
    context.must_reach(&relation, 'a', columns.iter().map(String::as_str))?;
    let progress = CopyProgress {
        relation: relation.oid,
        command: "COPY FROM",
        kind: if copy.place == CopyPlace::Client { "PIPE" } else { "FILE" },
        ..CopyProgress::default()
    };
    let shown = Shown::new(&session.shared, progress);
    let rejects = Rejects::of(&copy.options, (&session.shared, shown.progress()), &relation.name);
    let common = Common {
        cpu: session.engine.cpu()?,
        stop: session.shared.token(),
        progress: Arc::clone(shown.progress()),
    };
    let kept = Kept { relation: relation.oid, work: session.work().await? };
    let name = relation.name.clone();
    let checks = Checks { context, relation, rejects };
    let session = Arc::clone(&session.shared);
    let end = End { session, shown, rejects: checks.rejects.clone(), common };
    match (&copy.place, dialect.format) {
        (CopyPlace::Client, Format::Parquet) => {
            Err(Error::unsupported("COPY FROM STDIN in Parquet format"))
        }
        (CopyPlace::File(path), Format::Parquet) => {
            let listed = (!copy.columns.is_empty()).then_some(columns);
            let load = load_parquet(checks, kept, &end.common, (path, listed))?;
            end.finish(load).await.map(Outcome::Done)
        }
        (place, _) => {
            let column_count = columns.len();
            let format = if dialect.format == Format::Binary {
                CopyFormat::Binary
            } else {
                CopyFormat::Text
            };
            let load = load_bytes(checks, kept, &end.common, (dialect, &copy.options, columns))?;
            let receiver = Receiver {
                load,
                end,
                gathered: BytesMut::new(),
                format,
                column_count,
                relation: name,
                lines: 0,
            };
            match place {
                CopyPlace::Client => Ok(Outcome::CopyIn(Box::new(receiver))),
                CopyPlace::File(path) => read_file(receiver, path).await.map(Outcome::Done),
            }
        }
    }
}

/// Names of the columns that the data have.
fn columns(relation: &Relation, copy: &CopyFrom) -> Result<Vec<String>> {
    if copy.columns.is_empty() {
        let filled = relation.live_columns().filter(|column| column.generated.is_none());
        return Ok(filled.map(|column| column.name.clone()).collect());
    }
    let mut names: Vec<String> = Vec::with_capacity(copy.columns.len());
    for name in copy.columns.iter().map(folded) {
        let Some(column) = relation.column(&name) else {
            let text =
                format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            return Err(Error::new("42703", text));
        };
        if column.generated.is_some() {
            return Err(Error::new("42P10", format!("column \"{name}\" is a generated column"))
                .with_detail("Generated columns cannot be used in COPY."));
        }
        if names.contains(&name) {
            return Err(Error::new("42701", format!("column \"{name}\" specified more than once")));
        }
        names.push(name);
    }
    Ok(names)
}

/// What the data are read into.
fn targets(relation: &Relation, names: &[String], options: &CopyOptions) -> Result<Vec<Target>> {
    for (option, listed) in
        [("FORCE_NOT_NULL", &options.force_not_null), ("FORCE_NULL", &options.force_null)]
    {
        if let Some(name) = listed.iter().find(|name| !names.contains(name)) {
            let text = match relation.column(name) {
                Some(_) => {
                    return Err(Error::new(
                        "42P10",
                        format!("{option} column \"{name}\" not referenced by COPY"),
                    ));
                }
                None => {
                    format!("column \"{name}\" of relation \"{}\" does not exist", relation.name)
                }
            };
            return Err(Error::new("42703", text));
        }
    }
    let columns = names.iter().filter_map(|name| relation.column(name));
    let target = |column: &clientele_catalog::definition::Column| Target {
        name: column.name.clone(),
        pg_type: column.pg_type,
        force_not_null: options.force_not_null.contains(&column.name),
        force_null: options.force_null.contains(&column.name),
    };
    Ok(columns.map(target).collect())
}

fn load_bytes(
    checks: Checks,
    kept: Kept,
    common: &Common,
    (dialect, options, names): (Dialect, &CopyOptions, Vec<String>),
) -> Result<Load> {
    let now = checks.context.started_at;
    let targets = targets(&checks.relation, &names, options)?;
    let fields = targets.iter().map(|target| target.pg_type.field(&target.name, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let plan = Plan {
        relation: checks.relation.name.clone(),
        dialect,
        columns: targets,
        context: input::Context {
            time_zone: checks.context.settings.time_zone(),
            now,
            date_order: checks.context.settings.date_order(),
        },
        rejects: checks.rejects.clone(),
    };
    let reader = Reader::new(plan)?;
    let check = checks.of(&schema)?;
    Ok(Load::of_bytes(common, reader, check, kept))
}

fn load_parquet(
    checks: Checks,
    kept: Kept,
    common: &Common,
    (path, listed): (&str, Option<Vec<String>>),
) -> Result<Load> {
    let source = parquet::Source::open(path, listed.as_deref())?;
    let relation = &checks.relation;
    let known = |name: &str| relation.column(name).map(|column| column.pg_type);
    if let Some(name) = parquet::unknown(&source.schema, known) {
        let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
        return Err(
            Error::new("42703", text).with_hint("Name the columns to copy in the statement.")
        );
    }
    let check = checks.of(&source.schema)?;
    let stop = common.stop.clone();
    Ok(Load::of_batches(common, move |parsed| source.send(&parsed, &stop), check, kept))
}

/// What happens when the data have ended.
struct End {
    session: Arc<SessionShared>,
    shown: Shown,
    rejects: Option<Arc<Rejects>>,
    common: Common,
}

impl End {
    /// Waits for the last rows, puts all into the transaction and returns the tag.
    async fn finish(self, load: Load) -> Result<String> {
        let done = async {
            let rows = load.finish().await?;
            if let Some(rejects) = &self.rejects {
                rejects.tell_count();
            }
            Ok(format!("COPY {rows}"))
        };
        tokio::select! {
            biased;
            () = self.common.stop.cancelled() => Err(self.session.stop_error()),
            done = done => done,
        }
    }
}

/// Takes the client's data.
struct Receiver {
    load: Load,
    end: End,
    gathered: BytesMut,
    format: CopyFormat,
    column_count: usize,
    relation: String,
    /// Ends of lines so far.
    lines: usize,
}

impl Receiver {
    async fn feed(&mut self, mut data: Bytes) -> Result<()> {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(PIECE_BYTES << 2));
            tokio::select! {
                biased;
                () = self.end.common.stop.cancelled() => return Err(self.end.session.stop_error()),
                done = self.load.feed(piece) => done?,
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl CopyIn for Receiver {
    fn format(&self) -> CopyFormat {
        self.format
    }

    fn column_count(&self) -> usize {
        self.column_count
    }

    fn place(&self) -> String {
        format!("COPY {}, line {}", self.relation, self.lines + 1)
    }

    async fn write(&mut self, data: Bytes) -> Result<()> {
        self.lines += memchr::memchr_iter(b'\n', &data).count();
        if self.gathered.is_empty() && data.len() >= PIECE_BYTES / 4 {
            return self.feed(data).await;
        }
        self.gathered.extend_from_slice(&data);
        if self.gathered.len() < PIECE_BYTES {
            return Ok(());
        }
        let piece = self.gathered.split().freeze();
        self.feed(piece).await
    }

    async fn finish(mut self: Box<Self>) -> Result<String> {
        let rest = self.gathered.split().freeze();
        self.feed(rest).await?;
        let Self { load, end, .. } = *self;
        end.finish(load).await
    }
}

/// Feeds a file of the server.
async fn read_file(mut receiver: Receiver, path: &str) -> Result<String> {
    let opened = tokio::fs::File::open(path).await;
    let mut file =
        opened.map_err(|error| server_file::not_opened(path, Direction::Read, &error))?;
    let failed = |error: std::io::Error| server_file::failed(path, Direction::Read, &error);
    let size = file.metadata().await.map_err(failed)?.len();
    let progress = receiver.end.shown.progress();
    progress.bytes_total.store(size, std::sync::atomic::Ordering::Relaxed);
    loop {
        let mut piece = BytesMut::with_capacity(PIECE_BYTES << 1);
        if file.read_buf(&mut piece).await.map_err(failed)? == 0 {
            break;
        }
        receiver.feed(piece.freeze()).await?;
    }
    Box::new(receiver).finish().await
}

/// What rows must be before they are kept.
struct Checks {
    context: Arc<QueryContext>,
    relation: Arc<Relation>,
    rejects: Option<Arc<Rejects>>,
}

impl Checks {
    /// The check of rows whose columns are those of `schema`.
    fn of(self, schema: &SchemaRef) -> Result<Check> {
        let mut origins = Vec::new();
        for column in self.relation.live_columns() {
            origins.push(match schema.index_of(&column.name) {
                Ok(_) => Origin::Data(column.name.clone()),
                Err(_) => Origin::Default(Box::new(rows::default_of(column)?)),
            });
        }
        let targets = rows::assignment(&self.relation);
        let projection = Projection::new(&self.context, schema, origins, &targets)?;
        let shape = rows::schema(&self.relation);
        Ok(Box::new(move |parsed| self.run(parsed, &projection, &shape)))
    }

    fn run(
        &self,
        parsed: Parsed,
        projection: &Projection,
        shape: &SchemaRef,
    ) -> Result<RecordBatch> {
        let Parsed { columns, mut lines } = parsed;
        let computed = projection.run(columns, lines.len());
        let mut columns = computed.map_err(|error| {
            let first = lines.first().copied().unwrap_or_default();
            error.with_context(format!("COPY {}, line {first} or after it", self.relation.name))
        })?;
        if let Some(rejects) = &self.rejects {
            self.leave_out(rejects, &mut columns, &mut lines)?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(lines.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(shape), columns, &options)
            .map_err(|error| Error::internal(format!("rows do not fit the table: {error}")))?;
        check::policies(&self.context, &self.relation, 'a', std::slice::from_ref(&batch))?;
        let checked = check::rows(&self.context, &self.relation, batch.clone());
        checked.map_err(|error| self.located(&batch, &lines, error))
    }

    /// Columns with a domain: position and domain.
    fn domains(&self) -> impl Iterator<Item = (usize, &Arc<Domain>)> {
        let columns = self.relation.live_columns().enumerate();
        columns.filter_map(|(at, column)| {
            Some((at, self.context.catalog().domain_by_oid(column.domain?)?))
        })
    }

    /// Leaves out rows whose values are none of their column's domain, as PostgreSQL does: a
    /// domain is a data type.
    fn leave_out(
        &self,
        rejects: &Rejects,
        columns: &mut Vec<ArrayRef>,
        lines: &mut Vec<u64>,
    ) -> Result<()> {
        let mut keep = vec![true; lines.len()];
        for (at, domain) in self.domains() {
            let Some(column) = columns.get(at) else { continue };
            let mut from = 0;
            while from < column.len() {
                let rest = column.slice(from, column.len() - from);
                let fits = |offset, length| {
                    check::of_domain(&self.context, domain, &rest.slice(offset, length)).is_ok()
                };
                if fits(0, rest.len()) {
                    break;
                }
                let row = from + first_failing(rest.len(), fits);
                if keep.get(row).copied().unwrap_or_default() {
                    self.reject(rejects, (at, column), (row, lines))?;
                }
                if let Some(slot) = keep.get_mut(row) {
                    *slot = false;
                }
                from = row + 1;
            }
        }
        if keep.iter().all(|keep| *keep) {
            return Ok(());
        }
        let mut kept = keep.iter();
        lines.retain(|_| kept.next().is_some_and(|keep| *keep));
        let keep = BooleanArray::from(keep);
        for column in columns {
            *column = filter(column, &keep).map_err(Error::internal)?;
        }
        Ok(())
    }

    fn reject(
        &self,
        rejects: &Rejects,
        (at, column): (usize, &ArrayRef),
        (row, lines): (usize, &[u64]),
    ) -> Result<()> {
        let Some(definition) = self.relation.live_columns().nth(at) else { return Ok(()) };
        let line = lines.get(row).copied().unwrap_or_default();
        let value = text_of(column, definition.pg_type, row);
        rejects.reject(line, &definition.name, value.as_deref()).map_err(|error| {
            let place =
                reader::of_value(&self.relation.name, line, &definition.name, value.as_deref());
            error.with_context(place)
        })
    }

    /// Says on which line the first row stands that a check refuses, and with which value.
    fn located(&self, batch: &RecordBatch, lines: &[u64], error: Error) -> Error {
        let fits = |offset, length| {
            check::rows(&self.context, &self.relation, batch.slice(offset, length)).is_ok()
        };
        let row = first_failing(batch.num_rows(), fits);
        let line = lines.get(row).copied().unwrap_or_default();
        let one = batch.slice(row, 1);
        // The first failing row may fail for another reason than the batch did.
        let error = check::rows(&self.context, &self.relation, one.clone()).err().unwrap_or(error);
        let culprit = self.domains().find(|(at, domain)| {
            one.columns()
                .get(*at)
                .is_some_and(|array| check::of_domain(&self.context, domain, array).is_err())
        });
        let definition =
            culprit.and_then(|(at, _)| Some((at, self.relation.live_columns().nth(at)?)));
        match definition {
            Some((at, column)) if error.object.data_type.is_some() => {
                let value = text_of(one.column(at), column.pg_type, 0);
                let place =
                    reader::of_value(&self.relation.name, line, &column.name, value.as_deref());
                reader::with_way_out(error).with_context(place)
            }
            _ => error.with_context(format!("COPY {}, line {line}", self.relation.name)),
        }
    }
}

/// The first of some rows that a check refuses, by halving.
fn first_failing(count: usize, fits: impl Fn(usize, usize) -> bool) -> usize {
    let (mut from, mut to) = (0, count);
    while to - from > 1 {
        let middle = from + (to - from) / 2;
        if fits(from, middle - from) {
            from = middle;
        } else {
            to = middle;
        }
    }
    from
}

/// A value as text; `None` is NULL.
fn text_of(
    column: &ArrayRef,
    pg_type: clientele_udfs::types::PgType,
    row: usize,
) -> Option<String> {
    let one = column.slice(row, 1);
    let text = output::to_text_array(&one, pg_type, &output::Style::default()).ok()?;
    let text = text.as_string_view();
    text.is_valid(0).then(|| text.value(0).to_owned())
}
