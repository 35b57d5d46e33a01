//! Failures of recommending and scoring in PostgreSQL's words.

use clientele_recommend::Error as RecommendError;

use super::Error;

impl From<RecommendError> for Error {
    fn from(error: RecommendError) -> Self {
        let text = error.to_string();
        match error {
            RecommendError::Cancelled => Self::new("57014", "canceling statement"),
            RecommendError::TooMany { .. } => Self::new("54000", text),
            RecommendError::Singular => {
                Self::new("22023", text).with_hint("A larger ridge makes it invertible.")
            }
            RecommendError::NoFit(_) => Self::new("22023", text),
        }
    }
}
