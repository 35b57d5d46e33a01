//! `full_name`: the whole name in one column, in any order that its writing tells.

use super::{checks, family_name, fold, given_name};

/// Says why a text is none.
///
/// # Errors
/// The reason.
pub fn validate(value: &str) -> Result<(), String> {
    checks::one_line(value, 200)
}

/// Forms of address and academic degrees; generations (`jr`, `iii`) stay, since father and son
/// differ by them.
const TITLES: [&str; 32] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "madam",
    "herr",
    "frau",
    "monsieur",
    "madame",
    "mme",
    "mlle",
    "mademoiselle",
    "senor",
    "senora",
    "sr",
    "sra",
    "sig",
    "signor",
    "signora",
    "dott",
    "ing",
    "dipl",
    "mag",
    "dhr",
    "mevr",
    "pan",
    "pani",
];
const DEGREES: [&str; 8] = ["phd", "md", "mba", "msc", "bsc", "esq", "dds", "cpa"];

/// Given names first, folded, without title and degree, particles joined to the family name:
/// `Dr. DE LA CRUZ, María` → `maria delacruz`, `MARTIN Élodie` → `elodie martin`.
pub fn normalize(value: &str) -> Option<String> {
    let value = given_name::without_apostrophes(value);
    let ordered = given_name_first(&value);
    let folded = fold::folded(&ordered)?;
    let words = without_titles(folded.split(' ').collect());
    let (given, rest) = words.split_at(words.len().min(1));
    // A particle in front is a given name (Van Morrison), not part of the next word.
    let rest = family_name::joined(rest);
    let name = [given.concat(), rest].into_iter().filter(|part| !part.is_empty());
    fold::some(name.collect::<Vec<_>>().join(" "))
}

fn without_titles(mut words: Vec<&str>) -> Vec<&str> {
    while words.len() > 2 && TITLES.contains(&words[0]) {
        words.remove(0);
    }
    while words.len() > 2 && words.last().is_some_and(|word| DEGREES.contains(word)) {
        words.pop();
    }
    words
}

/// `Family, Given` and `FAMILY Given` (as French forms ask for it) in the order of speech.
fn given_name_first(value: &str) -> String {
    if let Some((family, given)) = value.split_once(',') {
        let degree = fold::folded(given).unwrap_or_default();
        let is_degree = degree.is_empty()
            || DEGREES.contains(&degree.as_str())
            || matches!(degree.as_str(), "jr" | "sr" | "ii" | "iii" | "iv");
        if is_degree {
            return value.to_owned();
        }
        let is_title =
            |word: &&str| fold::folded(word).is_some_and(|word| TITLES.contains(&word.as_str()));
        let family: Vec<&str> = family.split_whitespace().skip_while(is_title).collect();
        return format!("{given} {}", family.join(" "));
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let capitals = words.iter().take_while(|word| is_capitals(word)).count();
    let (family, given) = words.split_at(capitals);
    // Two capitals alone are initials (JR Smith).
    let is_name = family.iter().any(|word| word.chars().count() > 2);
    if is_name && !given.is_empty() { [given, family].concat().join(" ") } else { value.to_owned() }
}

fn is_capitals(word: &str) -> bool {
    word.chars().any(char::is_uppercase)
        && !word.chars().any(char::is_lowercase)
        && word.chars().filter(|letter| letter.is_alphabetic()).count() > 1
}
