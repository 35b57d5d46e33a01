//! Levenshtein's distance: insertions, deletions and substitutions that turn one text into the
//! other. By words after Myers (1999, "A Fast Bit-Vector Algorithm for Approximate String
//! Matching", J. ACM 46) in the form of Hyyrö (2003).

use super::symbols::{Places, compare, without_common_ends};

/// What an edit costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// A symbol that only the second text has.
    pub insert: i64,
    /// A symbol that only the first text has.
    pub delete: i64,
    /// One symbol in place of another.
    pub substitute: i64,
}

/// The number of edits.
pub fn levenshtein(a: &str, b: &str) -> usize {
    within(a, b, usize::MAX).unwrap_or(usize::MAX)
}

/// The number of edits, if it is at most `max`; gives up as soon as it cannot be.
pub fn levenshtein_within(a: &str, b: &str, max: usize) -> Option<usize> {
    within(a, b, max)
}

fn within(a: &str, b: &str, max: usize) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    compare(a, b, |a, b| ordered(a, b, max, by_words), |a, b| ordered(a, b, max, by_row))
}

type Kernel<T> = fn(&[T], &[T], usize) -> Option<usize>;

/// The rest that differs, shorter first.
fn ordered<T: PartialEq>(a: &[T], b: &[T], max: usize, kernel: Kernel<T>) -> Option<usize> {
    let (a, b) = without_common_ends(a, b);
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if longer.len() - shorter.len() > max {
        return None;
    }
    if shorter.is_empty() {
        return Some(longer.len());
    }
    kernel(shorter, longer, max)
}

/// One column of the table per symbol of `text`: the differences between neighbours in it are ±1,
/// kept as bits.
fn by_words(pattern: &[u8], text: &[u8], max: usize) -> Option<usize> {
    let places = Places::of(pattern);
    let last = 1_u64 << (pattern.len() - 1);
    let (mut higher, mut lower, mut distance) = (u64::MAX, 0_u64, pattern.len());
    for (done, symbol) in text.iter().enumerate() {
        let equal = places.get(*symbol);
        let diagonal = ((equal & higher).wrapping_add(higher) ^ higher) | equal | lower;
        let right_higher = lower | !(diagonal | higher);
        let right_lower = diagonal & higher;
        distance += usize::from(right_higher & last != 0);
        distance -= usize::from(right_lower & last != 0);
        // What is left of the text can lower the distance by one each at most.
        if distance > max.saturating_add(text.len() - done - 1) {
            return None;
        }
        let right_higher = right_higher << 1 | 1;
        higher = right_lower << 1 | !(diagonal | right_higher);
        lower = right_higher & diagonal;
    }
    (distance <= max).then_some(distance)
}

fn by_row<T: PartialEq>(a: &[T], b: &[T], max: usize) -> Option<usize> {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (line, symbol) in b.iter().enumerate() {
        let (mut diagonal, mut least) = (row[0], line + 1);
        row[0] = line + 1;
        for (column, other) in a.iter().enumerate() {
            let substituted = diagonal + usize::from(symbol != other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
            least = least.min(row[column + 1]);
        }
        if least > max {
            return None;
        }
    }
    Some(row[a.len()]).filter(|distance| *distance <= max)
}

/// The least cost of edits that turn `a` into `b`.
pub fn levenshtein_weighted(a: &str, b: &str, costs: &Costs) -> i64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<i64> = (0..).map(|deleted| deleted * costs.delete).take(a.len() + 1).collect();
    for symbol in &b {
        let mut diagonal = row[0];
        row[0] += costs.insert;
        for (column, other) in a.iter().enumerate() {
            let substituted = diagonal + if symbol == other { 0 } else { costs.substitute };
            diagonal = row[column + 1];
            let inserted = diagonal + costs.insert;
            row[column + 1] = substituted.min(inserted).min(row[column] + costs.delete);
        }
    }
    row[a.len()]
}
