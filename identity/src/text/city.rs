//! `city`: the name of a town.

use super::{checks, fold};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 120)
}

/// Folded, abbreviations written out, the French `CEDEX` cut, which is a sorting office:
/// `St-Étienne Cedex 2` → `saint etienne`.
pub fn normalize(value: &str) -> Option<String> {
    let folded = fold::folded(value)?;
    let words: Vec<&str> = folded.split(' ').collect();
    let end = words.iter().position(|word| *word == "cedex").filter(|at| *at > 0);
    let words = &words[..end.unwrap_or(words.len())];
    let last = words.len() - 1;
    let full = |(place, word): (usize, &&str)| match *word {
        "st" | "sankt" | "sint" | "sveti" if place < last => "saint".to_owned(),
        "ste" if place < last => "sainte".to_owned(),
        "mt" if place < last => "mount".to_owned(),
        "ft" if place < last => "fort".to_owned(),
        other => other.to_owned(),
    };
    let words: Vec<String> = words.iter().enumerate().map(full).collect();
    Some(words.join(" "))
}
