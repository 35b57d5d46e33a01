//! Each distinct value once: columns repeat their values, and normalising costs more than looking
//! up.

use std::hash::Hash;

use hashbrown::HashMap;

/// The results of a column: one per distinct value, and where each row finds its own.
#[derive(Debug)]
pub struct Distinct<T> {
    /// What was computed, in order of first appearance.
    pub results: Vec<T>,
    /// Per row the place in `results`; `None` for a missing value.
    pub places: Vec<Option<usize>>,
}

impl<T> Distinct<T> {
    /// The result of a row.
    pub fn get(&self, row: usize) -> Option<&T> {
        self.places.get(row).copied().flatten().and_then(|place| self.results.get(place))
    }
}

/// Computes once per distinct value.
///
/// ```
/// use clientele_identity::text::{distinct, phone};
///
/// let column = [Some("+33 6 12 34 56 78"), None, Some("+33 6 12 34 56 78")];
/// let numbers = distinct::compute(column, phone::normalize);
/// assert_eq!(numbers.results, [Some("+33612345678".to_owned())]);
/// assert_eq!(numbers.places, [Some(0), None, Some(0)]);
/// ```
pub fn compute<K: Copy + Eq + Hash, T>(
    values: impl IntoIterator<Item = Option<K>>,
    mut compute: impl FnMut(K) -> T,
) -> Distinct<T> {
    let mut known: HashMap<K, usize> = HashMap::new();
    let mut results = Vec::new();
    let mut place = |value: K| {
        *known.entry(value).or_insert_with(|| {
            results.push(compute(value));
            results.len() - 1
        })
    };
    let places = values.into_iter().map(|value| value.map(&mut place)).collect();
    Distinct { results, places }
}
