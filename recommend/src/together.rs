//! What is bought together, as counts: for rules of the kind "who has A also has B" (Agrawal,
//! Imieliński and Swami, SIGMOD 1993).

use crate::histories::Histories;

/// How many customers have an item and each other one, by code.
pub fn common(histories: &Histories, code: u32) -> Vec<u32> {
    let mut counts = vec![0; histories.items()];
    for codes in histories.all().map(|history| history.codes) {
        if codes.binary_search(&code).is_ok() {
            codes.iter().for_each(|other| counts[*other as usize] += 1);
        }
    }
    counts
}

/// The measures of a rule, from counts of customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Share of all customers who have both.
    pub support: f64,
    /// Share of those who have the first that have the second.
    pub confidence: f64,
    /// How many times more often than by chance.
    pub lift: f64,
    /// How many times more often the rule would fail by chance; `None`: it never fails.
    pub conviction: Option<f64>,
}

impl Rule {
    /// Of `both` customers among `first` and `second`, of `all`.
    pub fn of(both: u32, (first, second): (u32, u32), all: usize) -> Self {
        let (both, first, second, all) =
            (f64::from(both), f64::from(first), f64::from(second), all as f64);
        let confidence = both / first;
        let fails = 1.0 - confidence;
        Self {
            support: both / all,
            confidence,
            lift: both * all / (first * second),
            conviction: (fails > 0.0).then(|| (1.0 - second / all) / fails),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_measured_as_in_the_textbook() {
        let rule = Rule::of(20, (40, 50), 100);
        assert_eq!((rule.support, rule.confidence, rule.lift), (0.2, 0.5, 1.0));
        assert_eq!(rule.conviction, Some(1.0));
        assert_eq!(Rule::of(40, (40, 50), 100).conviction, None);
    }
}
