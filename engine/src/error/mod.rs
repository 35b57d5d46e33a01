//! One error for everything that a client is told, with PostgreSQL's fields.

mod argument_types;
mod catalog;
mod datafusion;
mod recommend;

pub(crate) use catalog::sentence;

/// The result of a statement.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error as PostgreSQL's ErrorResponse carries it (manual: protocol-error-fields).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: &'static str,
    /// Five characters, PostgreSQL manual appendix A.
    pub sqlstate: &'static str,
    /// Primary message: lower case, no full stop.
    pub message: String,
    /// DETAIL, a full sentence.
    pub detail: Option<String>,
    /// HINT, a full sentence.
    pub hint: Option<String>,
    /// CONTEXT, e.g. `COPY t, line 2, column a: "x"`.
    pub context: Option<String>,
    /// Position in the statement's text, in characters from 1.
    pub position: Option<usize>,
    /// Names of what is concerned; boxed: rarely there.
    pub object: Box<ErrorObject>,
}

/// The schema, table, column, data type and constraint that an error is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorObject {
    /// Schema.
    pub schema: Option<String>,
    /// Table.
    pub table: Option<String>,
    /// Column.
    pub column: Option<String>,
    /// Data type.
    pub data_type: Option<String>,
    /// Constraint.
    pub constraint: Option<String>,
    /// The routine of PostgreSQL that reports it, where clients look at that.
    pub routine: Option<&'static str>,
    /// Line and column, until the text is known that they count in.
    pub(crate) location: Option<(u64, u64)>,
}

impl Error {
    /// An error of the given SQLSTATE.
    pub fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: "ERROR",
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            context: None,
            position: None,
            object: Box::default(),
        }
    }

    /// An error that ends the session.
    pub fn fatal(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { severity: "FATAL", ..Self::new(sqlstate, message) }
    }

    /// `… is not supported` (0A000).
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new("0A000", format!("{what} is not supported"))
    }

    /// Something believed impossible (XX000).
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::new("XX000", format!("internal error: {what}"))
    }

    /// Adds the DETAIL.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the HINT.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the CONTEXT.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Turns a line and column found in a tree into a position in the client's text.
    #[must_use]
    pub(crate) fn in_source(mut self, source: &crate::sql::place::Source) -> Self {
        if let (None, Some((line, column))) = (self.position, self.object.location.take()) {
            self.position = source.position(sqlparser::tokenizer::Location { line, column });
        }
        if self.position.is_none() && matches!(self.sqlstate, "22P02" | "22007" | "22008") {
            let text = self.message.split_once(": \"").and_then(|(_, text)| text.strip_suffix('"'));
            self.position = text.and_then(|text| source.literal(text));
        }
        self
    }

    /// Adds the position.
    #[must_use]
    pub fn at(mut self, position: Option<usize>) -> Self {
        self.position = position;
        self
    }
}
