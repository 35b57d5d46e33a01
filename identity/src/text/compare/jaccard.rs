//! Jaccard's coefficient: the size of the common part of two sets over that of both together.

/// Over the words: runs of letters and digits, case ignored. 1.0 when neither text has one.
pub fn jaccard_words(a: &str, b: &str) -> f64 {
    let words = |text: &str| {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    of_sets(words(a), words(b))
}

/// Over the q-grams: runs of `q` symbols as they stand, without padding. A text shorter than `q`
/// is its own only q-gram. 1.0 when both texts are empty.
pub fn jaccard_grams(a: &str, b: &str, q: usize) -> f64 {
    let grams = |text: &str| {
        let symbols: Vec<char> = text.chars().collect();
        let q = q.clamp(1, symbols.len().max(1));
        symbols.windows(q).map(<[char]>::to_vec).collect::<Vec<_>>()
    };
    of_sets(grams(a), grams(b))
}

fn of_sets<T: Ord>(mut a: Vec<T>, mut b: Vec<T>) -> f64 {
    for set in [&mut a, &mut b] {
        set.sort_unstable();
        set.dedup();
    }
    let common = common(&a, &b);
    let all = a.len() + b.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
}

/// How many elements two sorted sets share.
pub(super) fn common<T: Ord>(a: &[T], b: &[T]) -> usize {
    let (mut left, mut right, mut count) = (0, 0, 0);
    while left < a.len() && right < b.len() {
        let order = a[left].cmp(&b[right]);
        count += usize::from(order.is_eq());
        left += usize::from(order.is_le());
        right += usize::from(order.is_ge());
    }
    count
}
