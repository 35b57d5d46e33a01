//! `given_name`: first names.

use super::{checks, fold};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 100)
}

/// Folded, apostrophes left out: `D’Angelo` → `dangelo`, `Jean-Pierre` → `jean pierre`.
pub fn normalize(value: &str) -> Option<String> {
    fold::folded(&without_apostrophes(value))
}

/// Apostrophes join what they stand between: O'Connor is written OConnor as well.
pub(super) fn without_apostrophes(value: &str) -> String {
    let apostrophe = |one: char| matches!(one, '\'' | '’' | '‘' | '`' | '´' | '\u{2bc}');
    value.chars().filter(|one| !apostrophe(*one)).collect()
}
