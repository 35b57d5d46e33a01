//! What a value can do wrong, with PostgreSQL's SQLSTATE and wording.

use datafusion::error::DataFusionError;

/// The result of a function over values.
pub type Result<T, E = ValueError> = std::result::Result<T, E>;

/// A value that a type or a function refuses (SQLSTATE class 22 and neighbours).
///
/// Travels through DataFusion as [`DataFusionError::External`]; the engine downcasts it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    /// Five characters, PostgreSQL manual appendix A.
    pub sqlstate: &'static str,
    /// Primary message in PostgreSQL's style: lower case, no full stop.
    pub message: String,
    /// DETAIL line, a full sentence.
    pub detail: Option<String>,
    /// HINT line, a full sentence.
    pub hint: Option<String>,
}

impl ValueError {
    /// Makes an error of the given SQLSTATE.
    pub fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), detail: None, hint: None }
    }

    /// Adds the DETAIL line.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the HINT line.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `invalid input syntax for type integer: "abc"` (22P02).
    pub fn invalid_text(type_name: &str, text: &str) -> Self {
        Self::new("22P02", format!("invalid input syntax for type {type_name}: \"{text}\""))
    }

    /// `integer out of range` (22003).
    pub fn out_of_range(type_name: &str) -> Self {
        Self::new("22003", format!("{type_name} out of range"))
    }

    /// A parameter that a function does not accept (22023).
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("22023", message)
    }
}

impl From<ValueError> for DataFusionError {
    fn from(error: ValueError) -> Self {
        Self::External(Box::new(error))
    }
}
