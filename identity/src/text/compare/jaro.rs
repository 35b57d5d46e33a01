//! Jaro's similarity, and Winkler's boost for a common beginning (Winkler 1990, "String Comparator
//! Metrics and Enhanced Decision Rules in the Fellegi–Sunter Model of Record Linkage").

use super::symbols::{Places, WORD, compare};

/// Symbols of a common beginning that Winkler rewards, and by how much each.
const PREFIX_MAX: usize = 4;
const PREFIX_WEIGHT: f64 = 0.1;
/// Only pairs more alike than this are rewarded, as in Winkler's own program.
const BOOST_THRESHOLD: f64 = 0.7;

/// Jaro's similarity: 1.0 for equal texts, two empty ones included; 0.0 without a common symbol.
///
/// Greedy matching depends on which text comes first; here the shorter does, among equally long
/// ones the smaller, so that `jaro(a, b) == jaro(b, a)`.
pub fn jaro(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    compare(
        a,
        b,
        |a, b| if a.len() <= b.len() { by_words(a, b) } else { by_words(b, a) },
        |a, b| if a.len() <= b.len() { by_flags(a, b) } else { by_flags(b, a) },
    )
}

/// Jaro's similarity raised by a tenth of what is missing for each of up to four common first
/// symbols, where it is above 0.7.
pub fn jaro_winkler(a: &str, b: &str) -> f64 {
    let similarity = jaro(a, b);
    if similarity <= BOOST_THRESHOLD {
        return similarity;
    }
    let pairs = a.chars().zip(b.chars()).take(PREFIX_MAX);
    let prefix = pairs.take_while(|(a, b)| a == b).count();
    similarity + PREFIX_WEIGHT * prefix as f64 * (1.0 - similarity)
}

/// Farthest places at which equal symbols still match.
fn reach(longer: usize) -> usize {
    (longer / 2).saturating_sub(1)
}

fn score(matches: usize, transpositions: usize, lengths: (usize, usize)) -> f64 {
    if matches == 0 {
        return 0.0;
    }
    let found = matches as f64;
    let in_order = (matches - transpositions / 2) as f64;
    (found / lengths.0 as f64 + found / lengths.1 as f64 + in_order / found) / 3.0
}

/// For texts of at most [`WORD`] symbols: the free places within reach are one mask.
fn by_words(a: &[u8], b: &[u8]) -> f64 {
    if b.len() > WORD {
        return by_flags(a, b);
    }
    let places = Places::of(b);
    let reach = reach(b.len());
    let (mut taken_a, mut taken_b) = (0_u64, 0_u64);
    for (place, symbol) in a.iter().enumerate() {
        let within = low_bits(place + reach + 1) & !low_bits(place.saturating_sub(reach));
        let free = places.get(*symbol) & within & !taken_b;
        taken_b |= free & free.wrapping_neg();
        taken_a |= u64::from(free != 0) << place;
    }
    let (mut left_a, mut left_b, mut transpositions) = (taken_a, taken_b, 0);
    while left_a != 0 {
        let symbol = a[left_a.trailing_zeros() as usize];
        let place_b = left_b & left_b.wrapping_neg();
        transpositions += usize::from(places.get(symbol) & place_b == 0);
        left_a &= left_a - 1;
        left_b &= left_b.wrapping_sub(1);
    }
    score(taken_a.count_ones() as usize, transpositions, (a.len(), b.len()))
}

/// The lowest `count` bits.
fn low_bits(count: usize) -> u64 {
    if count >= WORD { u64::MAX } else { (1 << count) - 1 }
}

fn by_flags<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    let reach = reach(b.len());
    let (mut matched_a, mut taken_b) = (Vec::new(), vec![false; b.len()]);
    for (place, symbol) in a.iter().enumerate() {
        let (from, to) = (place.saturating_sub(reach), (place + reach + 1).min(b.len()));
        if let Some(at) = (from..to).find(|at| !taken_b[*at] && b[*at] == *symbol) {
            taken_b[at] = true;
            matched_a.push(symbol);
        }
    }
    let matched_b = b.iter().zip(&taken_b).filter(|(_, taken)| **taken).map(|(symbol, _)| symbol);
    let transpositions = matched_a.iter().zip(matched_b).filter(|(a, b)| **a != *b).count();
    score(matched_a.len(), transpositions, (a.len(), b.len()))
}
