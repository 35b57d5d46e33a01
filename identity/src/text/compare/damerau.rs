//! Damerau's distance in its restricted form, *optimal string alignment*: insertion, deletion,
//! substitution, and two adjacent symbols swapped, no symbol being edited twice (`ca` → `abc` is
//! 3, where the unrestricted distance is 2). By words after Hyyrö (2003, "A bit-vector algorithm
//! for computing Levenshtein and Damerau edit distances", Nordic J. of Computing 10).

use super::symbols::{Places, compare, without_common_ends};

/// The number of edits, adjacent symbols swapped being one.
pub fn damerau(a: &str, b: &str) -> usize {
    if a == b {
        return 0;
    }
    compare(a, b, |a, b| ordered(a, b, by_words), |a, b| ordered(a, b, by_rows))
}

fn ordered<T: PartialEq>(a: &[T], b: &[T], kernel: fn(&[T], &[T]) -> usize) -> usize {
    let (a, b) = without_common_ends(a, b);
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if shorter.is_empty() { longer.len() } else { kernel(shorter, longer) }
}

fn by_words(pattern: &[u8], text: &[u8]) -> usize {
    let places = Places::of(pattern);
    let last = 1_u64 << (pattern.len() - 1);
    let (mut higher, mut lower, mut distance) = (u64::MAX, 0_u64, pattern.len());
    let (mut diagonal, mut equal_before) = (0_u64, 0_u64);
    for symbol in text {
        let equal = places.get(*symbol);
        let swapped = (!diagonal & equal) << 1 & equal_before;
        diagonal = ((equal & higher).wrapping_add(higher) ^ higher) | equal | lower | swapped;
        let right_higher = lower | !(diagonal | higher);
        let right_lower = diagonal & higher;
        distance += usize::from(right_higher & last != 0);
        distance -= usize::from(right_lower & last != 0);
        let right_higher = right_higher << 1 | 1;
        higher = right_lower << 1 | !(diagonal | right_higher);
        lower = right_higher & diagonal;
        equal_before = equal;
    }
    distance
}

fn by_rows<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut before: Vec<usize> = vec![0; a.len() + 1];
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for line in 0..b.len() {
        let mut next = vec![line + 1; a.len() + 1];
        for column in 0..a.len() {
            let substituted = row[column] + usize::from(b[line] != a[column]);
            let edited = substituted.min(row[column + 1] + 1).min(next[column] + 1);
            let swapped =
                line > 0 && column > 0 && b[line] == a[column - 1] && b[line - 1] == a[column];
            let swap = if swapped { before[column - 1] + 1 } else { usize::MAX };
            next[column + 1] = edited.min(swap);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[a.len()]
}
