//! Rows → columns. Values go straight into Arrow builders; errors name line and column.

use std::sync::Arc;

use clientele_udfs::input::{self, Builder};
use clientele_udfs::types::PgType;
use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter;

use super::binary::{BinaryRows, Values};
use super::dialect::Dialect;
use super::fields::Fields;
use super::lines::Lines;
use super::rejects::Rejects;
use super::{bad_format, shortened};
use crate::error::{Error, Result};
use crate::sql::copy::{Format, Header};

/// Rows of a batch.
const BATCH_ROWS: usize = 16 << 10;
/// Bytes of text from which on a batch is full however few rows it has.
const BATCH_BYTES: usize = 8 << 20;

/// A column of the data.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) pg_type: PgType,
    /// FORCE_NOT_NULL.
    pub(crate) force_not_null: bool,
    /// FORCE_NULL.
    pub(crate) force_null: bool,
}

/// What is read, and how.
pub(crate) struct Plan {
    /// Name of the table, for messages.
    pub(crate) relation: String,
    /// The options.
    pub(crate) dialect: Dialect,
    /// The columns of the data in order.
    pub(crate) columns: Vec<Target>,
    /// What values mean.
    pub(crate) context: input::Context,
    /// Takes rows that are left out.
    pub(crate) rejects: Option<Arc<Rejects>>,
}

/// Rows that were read.
pub(crate) struct Parsed {
    /// Arrays of the plan's columns.
    pub(crate) columns: Vec<ArrayRef>,
    /// The line that each row stood on.
    pub(crate) lines: Vec<u64>,
}

enum Source {
    Lines { lines: Box<Lines>, fields: Fields, header: Header },
    Binary(BinaryRows, Values),
}

/// Reads one statement's data.
pub(crate) struct Reader {
    plan: Plan,
    source: Source,
    builders: Vec<Builder>,
    /// The line of each row in the builders.
    lines: Vec<u64>,
    /// Rows in the builders that are left out.
    rejected: Vec<usize>,
    bytes: usize,
}

impl Reader {
    /// A reader that has seen nothing yet.
    ///
    /// # Errors
    /// 0A000 for a column of a type without values.
    pub(crate) fn new(plan: Plan) -> Result<Self> {
        let source = match plan.dialect.format {
            Format::Binary => Source::Binary(BinaryRows::default(), Vec::new()),
            _ => Source::Lines {
                lines: Box::new(Lines::new(&plan.dialect)),
                fields: Fields::default(),
                header: plan.dialect.header,
            },
        };
        let builders = plan.columns.iter().map(|column| Builder::new(column.pg_type, BATCH_ROWS));
        let builders = builders.collect::<Result<_, _>>()?;
        Ok(Self { plan, source, builders, lines: Vec::new(), rejected: Vec::new(), bytes: 0 })
    }

    /// Adds a piece of data, cut anywhere.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        match &mut self.source {
            Source::Lines { lines, .. } => lines.feed(piece),
            Source::Binary(rows, _) => rows.feed(piece),
        }
    }

    /// A full batch; `None` when more data are needed. With `last` what is left comes, too, and
    /// `None` is the end.
    ///
    /// # Errors
    /// What the data do wrong; [`Reader::take`] gives the rows before the failing one.
    pub(crate) fn read(&mut self, last: bool) -> Result<Option<Parsed>> {
        while self.lines.len() < BATCH_ROWS && self.bytes < BATCH_BYTES {
            let found = match &mut self.source {
                Source::Lines { .. } => self.read_line(last)?,
                Source::Binary(..) => self.read_binary(last)?,
            };
            if !found {
                return if last { self.take() } else { Ok(None) };
            }
        }
        self.take()
    }

    /// The rows read so far.
    ///
    /// # Errors
    /// None that is known: arrays of one length are filtered.
    pub(crate) fn take(&mut self) -> Result<Option<Parsed>> {
        let mut lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        self.builders.iter_mut().for_each(|builder| builder.truncate(lines.len()));
        let mut columns: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        if !self.rejected.is_empty() {
            let mut keep = vec![true; lines.len()];
            for row in self.rejected.drain(..) {
                if let Some(slot) = keep.get_mut(row) {
                    *slot = false;
                }
            }
            let mut kept = keep.iter();
            lines.retain(|_| kept.next().is_some_and(|keep| *keep));
            let keep = BooleanArray::from(keep);
            let filtered =
                columns.iter().map(|column| filter(column, &keep)).collect::<Result<_, _>>();
            columns = filtered.map_err(Error::internal)?;
        }
        self.lines.reserve(BATCH_ROWS.min(lines.len()));
        Ok((!lines.is_empty()).then_some(Parsed { columns, lines }))
    }

    fn read_line(&mut self, last: bool) -> Result<bool> {
        let Source::Lines { lines, fields, header } = &mut self.source else { return Ok(false) };
        let plan = &self.plan;
        let found = lines.next(last);
        let number = lines.number();
        let Some(line) = found.map_err(|error| at_line(error, plan, number, None))? else {
            return Ok(false);
        };
        let text = lines.text(&line);
        let broken = |error| at_line(error, plan, number, Some(text));
        if *header != Header::None {
            if *header == Header::Match {
                fields.split(text, line.special, &plan.dialect).map_err(broken)?;
                match_header(plan, fields, text).map_err(broken)?;
            }
            *header = Header::None;
            return Ok(true);
        }
        fields.split(text, line.special, &plan.dialect).map_err(broken)?;
        if fields.len() > plan.columns.len() {
            // A line of a table without columns is empty.
            if !(plan.columns.is_empty() && text.is_empty()) {
                return Err(broken(bad_format("extra data after last expected column")));
            }
        }
        let mut row = Row { plan, builders: &mut self.builders, number, text };
        let accepted = row.append(fields)?;
        self.bytes += text.len();
        if !accepted {
            self.rejected.push(self.lines.len());
        }
        self.lines.push(number);
        Ok(true)
    }

    fn read_binary(&mut self, last: bool) -> Result<bool> {
        let Source::Binary(rows, values) = &mut self.source else { return Ok(false) };
        let plan = &self.plan;
        let found = rows.next(plan.columns.len(), values, last);
        let number = rows.number();
        if !found.map_err(|error| at_line(error, plan, number, None))? {
            return Ok(false);
        }
        for ((column, builder), value) in
            plan.columns.iter().zip(&mut self.builders).zip(values.iter())
        {
            let bytes = value.as_ref().map(|range| rows.value(range));
            builder.append_binary(bytes).map_err(|error| {
                let place =
                    format!("COPY {}, line {number}, column {}", plan.relation, column.name);
                Error::from(error).with_context(place)
            })?;
            self.bytes += bytes.map_or(0, <[u8]>::len);
        }
        self.lines.push(number);
        Ok(true)
    }
}

/// One line on its way into the builders.
struct Row<'r> {
    plan: &'r Plan,
    builders: &'r mut [Builder],
    number: u64,
    text: &'r str,
}

impl Row<'_> {
    /// Appends the fields; false when the row is left out: it is NULL from the bad value on.
    fn append(&mut self, fields: &Fields) -> Result<bool> {
        let null = self.plan.dialect.null.as_str();
        for index in 0..self.builders.len() {
            let (Some(column), Some(builder)) =
                (self.plan.columns.get(index), self.builders.get_mut(index))
            else {
                break;
            };
            if index >= fields.len() {
                let error = bad_format(format!("missing data for column \"{}\"", column.name));
                return Err(at_line(error, self.plan, self.number, Some(self.text)));
            }
            let value = fields.get(index, self.text);
            let value =
                value.map_err(|error| at_line(error, self.plan, self.number, Some(self.text)))?;
            let value = match value {
                None if column.force_not_null => Some(null),
                Some(text) if column.force_null && text == null => None,
                value => value,
            };
            if let Err(error) = builder.append(value, &self.plan.context) {
                return self.refused(index, value, error.into());
            }
        }
        Ok(true)
    }

    fn refused(&mut self, index: usize, value: Option<&str>, error: Error) -> Result<bool> {
        let name = self.plan.columns.get(index).map_or("", |column| column.name.as_str());
        let located = |error: Error| {
            error.with_context(of_value(&self.plan.relation, self.number, name, value))
        };
        match &self.plan.rejects {
            None => Err(located(with_way_out(error))),
            Some(rejects) => {
                rejects.reject(self.number, name, value).map_err(located)?;
                self.builders.iter_mut().skip(index).for_each(Builder::append_null);
                Ok(false)
            }
        }
    }
}

/// Says that rows which cannot be read can be left out.
pub(crate) fn with_way_out(error: Error) -> Error {
    match error.hint {
        Some(_) => error,
        None => error.with_hint(
            "COPY ... WITH (ON_ERROR ignore) leaves out rows with values that cannot be read.",
        ),
    }
}

/// `COPY t, line 2, column a: "x"`.
pub(crate) fn of_value(relation: &str, line: u64, column: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => {
            format!("COPY {relation}, line {line}, column {column}: \"{}\"", shortened(value))
        }
        None => format!("COPY {relation}, line {line}, column {column}: null input"),
    }
}

fn at_line(error: Error, plan: &Plan, number: u64, text: Option<&str>) -> Error {
    match text {
        Some(text) => error.with_context(format!(
            "COPY {}, line {number}: \"{}\"",
            plan.relation,
            shortened(text)
        )),
        None => error.with_context(format!("COPY {}, line {number}", plan.relation)),
    }
}

/// HEADER MATCH: the first line names the columns in order.
fn match_header(plan: &Plan, fields: &Fields, line: &str) -> Result<()> {
    let (found, expected) = (fields.len(), plan.columns.len());
    if found != expected {
        return Err(bad_format(format!(
            "wrong number of fields in header line: got {found}, expected {expected}"
        )));
    }
    for (index, column) in plan.columns.iter().enumerate() {
        let got = match fields.get(index, line)? {
            Some(name) if name == column.name => continue,
            Some(name) => format!("got \"{name}\""),
            None => format!("got null value (\"{}\")", plan.dialect.null),
        };
        return Err(bad_format(format!(
            "column name mismatch in header line field {}: {got}, expected \"{}\"",
            index + 1,
            column.name
        )));
    }
    Ok(())
}
