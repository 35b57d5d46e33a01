//! What is wrong with rules, and where: `$.rules[1].value`.

use crate::error::Error;

/// A place in the JSON.
#[derive(Debug, Clone)]
pub(super) struct Path(String);

impl Path {
    /// The whole.
    pub(super) fn root() -> Self {
        Self("$".to_owned())
    }

    /// A member of it.
    pub(super) fn member(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    /// An element of it.
    pub(super) fn element(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// What is wrong here (22023).
    pub(super) fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::new("22023", format!("invalid rules: {what}"))
            .with_detail(format!("The place in the JSON is {}.", self.0))
    }
}
