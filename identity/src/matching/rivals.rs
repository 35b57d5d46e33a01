//! Pairs that exclude one another.
//!
//! Where only records of different sources may match, a record has at most one partner in each
//! other source. What is likely of each pair alone cannot be true of all: the odds of a pair are
//! those against no partner at all and against each rival. The best partner stays the best, but
//! of two that are equally good neither is sure.

use hashbrown::HashMap;

use super::prepared::Prepared;
use super::score::Pair;
use super::settings::Links;

/// Weighs pairs against their rivals among them.
pub(crate) fn weigh(prepared: &Prepared, links: Links, pairs: &mut [Pair]) {
    if links == Links::All {
        return;
    }
    let source = |record: u32| prepared.source.get(record as usize).copied().unwrap_or(0);
    let odds = |pair: &Pair| f64::from(pair.weight).exp2();
    let sides = |pair: &Pair| [(pair.a, source(pair.b)), (pair.b, source(pair.a))];
    let mut sums: HashMap<(u32, u32), f64> = HashMap::new();
    for pair in pairs.iter() {
        for side in sides(pair) {
            *sums.entry(side).or_default() += odds(pair);
        }
    }
    for pair in pairs {
        let rivals = sides(pair).map(|side| (sums[&side] - odds(pair)).max(0.0));
        pair.rivals = (1.0 + rivals.iter().sum::<f64>()).log2() as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{Column, Meaning, Records};
    use super::*;

    #[test]
    fn of_equal_partners_neither_is_sure() {
        let names = [Some("a"); 5].into_iter();
        let columns = vec![Column::from_values("name", Meaning::Text, names)];
        let records = Records { columns, source: vec![0, 0, 1, 1, 1], len: 5 };
        let prepared = Prepared::new(&records);
        let pair = |(a, b), weight| Pair { a, b, weight, rivals: 0.0, vector: 0 };
        let alone = [pair((0, 2), 6.0), pair((0, 3), 6.0), pair((1, 4), 6.0)];
        let mut pairs = alone;
        weigh(&prepared, Links::All, &mut pairs);
        assert_eq!(pairs, alone);
        weigh(&prepared, Links::AcrossSources, &mut pairs);
        assert!(pairs[0].probability() < 0.5 && pairs[0].probability() > 0.49);
        assert_eq!(pairs[0].probability(), pairs[1].probability());
        assert_eq!(pairs[2], alone[2]);
    }
}
