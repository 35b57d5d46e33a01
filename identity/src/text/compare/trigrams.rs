//! Trigrams as pg_trgm makes them (PostgreSQL manual, F.35): of every word, a run of letters and
//! digits in lower case, with two spaces in front and one behind.

use super::jaccard::common;

/// The distinct trigrams of a text, in ascending order: `cat` → `"  c"`, `" ca"`, `"at "`, `"cat"`.
pub fn trigrams(text: &str) -> Vec<[char; 3]> {
    let mut trigrams = Vec::with_capacity(text.len() + 2);
    for word in text.split(|letter: char| !letter.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let letters = word.chars().flat_map(char::to_lowercase);
        let (mut first, mut second) = (' ', ' ');
        for letter in letters.chain([' ']) {
            trigrams.push([first, second, letter]);
            (first, second) = (second, letter);
        }
    }
    trigrams.sort_unstable();
    trigrams.dedup();
    trigrams
}

/// The share of common trigrams, in single precision as pg_trgm computes it; 0.0 when neither
/// text has one.
pub fn trigram_similarity(a: &str, b: &str) -> f32 {
    let (a, b) = (trigrams(a), trigrams(b));
    let common = common(&a, &b);
    match a.len() + b.len() - common {
        0 => 0.0,
        all => common as f32 / all as f32,
    }
}
