//! What can go wrong.

/// An error of a computation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Whoever waited for the result does so no longer.
    #[error("the computation was cancelled")]
    Cancelled,
    /// More than the structures can number.
    #[error("too many {what}: {count} of at most {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A linear system without a solution: a regularisation that is too small.
    #[error("the item matrix cannot be inverted")]
    Singular,
    /// Nothing to fit a model to.
    #[error("{0}")]
    NoFit(&'static str),
}

/// What computations return.
pub type Result<T> = std::result::Result<T, Error>;
