//! `family_name`: surname, maiden name.

use super::{checks, fold, given_name};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 100)
}

/// Words before a name that people write apart or together: De la Cruz and Delacruz, Mc Donald and
/// McDonald, van den Berg and Vandenberg.
const PARTICLES: [&str; 40] = [
    "af", "al", "ap", "av", "ben", "bin", "da", "dal", "das", "de", "degli", "dei", "del", "dela",
    "della", "den", "der", "des", "di", "dos", "du", "el", "la", "las", "le", "les", "lo", "los",
    "mac", "mc", "o", "san", "st", "ten", "ter", "van", "vom", "von", "zu", "zum",
];

/// Folded, particles joined to the name behind them: `de la Cruz-O’Hara` → `delacruz ohara`.
pub fn normalize(value: &str) -> Option<String> {
    let folded = fold::folded(&given_name::without_apostrophes(value))?;
    Some(joined(&folded.split(' ').collect::<Vec<_>>()))
}

/// The words of a name with their particles joined to the word behind.
pub(super) fn joined(words: &[&str]) -> String {
    let mut name = String::new();
    let mut open = false;
    for word in words {
        if !open && !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
        open = is_particle(word);
    }
    name
}

/// Whether a folded word is a particle.
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}
