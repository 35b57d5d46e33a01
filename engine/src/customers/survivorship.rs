//! Which of several values survives: rows of `customers.survivorship`.
//!
//! A strategy is a list of criteria; each keeps the best of what the one before left, until one
//! value is there. The last is the value itself, so that the order of arrival never decides.

use std::collections::HashMap;

use clientele_catalog::customers::{SURVIVORSHIP, Touchpoints};
use datafusion::common::Result;

use super::rows::{From, instant, text, texts};
use super::tally::{Entry, NEVER_FIRST, PINNED};

/// The strategies, as SQL names them, and the criterion that each begins with.
pub(super) const STRATEGIES: [(&str, Criterion); 5] = [
    ("most_recent", Criterion::MostRecent),
    ("most_frequent", Criterion::MostFrequent),
    ("source_priority", Criterion::SourcePriority),
    ("longest", Criterion::Longest),
    ("first", Criterion::First),
];

/// What decides where the strategy's own criterion does not.
const TIES: [Criterion; 4] =
    [Criterion::SourcePriority, Criterion::MostRecent, Criterion::MostFrequent, Criterion::Value];

/// Name of the attribute for those without a rule of their own.
pub(super) const EVERY: &str = "*";

/// By what one value is better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    MostRecent,
    MostFrequent,
    SourcePriority,
    Longest,
    First,
    Value,
}

impl Criterion {
    /// As `customers.attributes.rule` has it.
    pub(super) fn name(self) -> &'static str {
        match STRATEGIES.iter().find(|(_, one)| *one == self) {
            Some((name, _)) => name,
            None => "value",
        }
    }
}

/// How one attribute's value is chosen.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    first: Criterion,
    /// Place of each source, the best first.
    places: Vec<usize>,
}

/// The rules of all attributes.
#[derive(Debug, Clone)]
pub(super) struct Rules(Vec<Rule>);

/// A rule that is set.
type Set = (i64, Criterion, Vec<String>);

impl Rules {
    /// The rules in force: the latest for each attribute.
    pub(super) async fn read(from: &From<'_>, touchpoints: &Touchpoints) -> Result<Self> {
        let mut latest: HashMap<String, Set> = HashMap::new();
        for batch in from.all(SURVIVORSHIP).await? {
            for row in 0..batch.num_rows() {
                let name = text(&batch, "strategy", row).unwrap_or_default();
                let Some((_, first)) = STRATEGIES.iter().find(|(one, _)| *one == name) else {
                    continue;
                };
                let attribute = text(&batch, "attribute", row).unwrap_or_default().to_owned();
                let changed_at = instant(&batch, "changed_at", row).unwrap_or(i64::MIN);
                let new = (changed_at, *first, texts(&batch, "sources", row));
                let known = latest.entry(attribute).or_insert_with(|| new.clone());
                if changed_at >= known.0 {
                    *known = new;
                }
            }
        }
        let sources: Vec<&str> =
            touchpoints.tables.iter().map(|table| table.source.as_str()).collect();
        let rule = |name: &str| {
            let set = latest.get(name).or_else(|| latest.get(EVERY));
            Rule::new(set.map(|(_, first, sources)| (*first, sources.as_slice())), &sources)
        };
        Ok(Self(touchpoints.attributes.iter().map(|one| rule(&one.name)).collect()))
    }

    pub(super) fn of(&self, attribute: usize) -> Option<&Rule> {
        self.0.get(attribute)
    }
}

/// What is known of one value of a customer, over all sources.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    id: u32,
    text: &'a str,
    count: u64,
    first: i64,
    last: i64,
}

impl Rule {
    pub(super) fn new(set: Option<(Criterion, &[String])>, sources: &[&str]) -> Self {
        let (first, trusted) = set.unwrap_or((Criterion::MostRecent, &[]));
        let place =
            |source: &&str| trusted.iter().position(|one| one == source).unwrap_or(trusted.len());
        Self { first, places: sources.iter().map(place).collect() }
    }

    /// The value that survives, and what decided: of the entries of one attribute of one customer,
    /// in the order of values. What says nothing only survives where nothing else is said.
    pub(super) fn choose(
        &self,
        entries: &[Entry],
        values: &[Box<str>],
        says_nothing: &dyn Fn(&str) -> bool,
    ) -> Option<(u32, &'static str)> {
        if let Some(pinned) = entries.iter().find(|entry| entry.source == PINNED) {
            return Some((pinned.value, "pinned"));
        }
        let mut left = self.candidates(entries, values);
        if left.len() < 2 {
            return left.first().map(|one| (one.id, "only_value"));
        }
        let told: Vec<_> = left.iter().filter(|one| !says_nothing(one.text)).copied().collect();
        if let [one] = told.as_slice() {
            return Some((one.id, "not_blocked"));
        }
        left = if told.is_empty() { left } else { told };
        for criterion in std::iter::once(self.first).chain(TIES) {
            match criterion {
                Criterion::SourcePriority => left = self.of_best_source(entries, values, &left),
                other => keep_best(&mut left, other),
            }
            if let [one] = left.as_slice() {
                return Some((one.id, criterion.name()));
            }
        }
        left.first().map(|one| (one.id, Criterion::Value.name()))
    }

    fn candidates<'a>(&self, entries: &[Entry], values: &'a [Box<str>]) -> Vec<Candidate<'a>> {
        let same = |one: &Entry, other: &Entry| one.value == other.value;
        entries.chunk_by(same).filter_map(|chunk| candidate(chunk, values)).collect()
    }

    /// What the best source says of the values that are left: what others say counts no more.
    fn of_best_source<'a>(
        &self,
        entries: &[Entry],
        values: &'a [Box<str>],
        left: &[Candidate<'_>],
    ) -> Vec<Candidate<'a>> {
        let place = |entry: &&Entry| self.places.get(usize::from(entry.source)).copied();
        let is_left = |entry: &&Entry| left.iter().any(|one| one.id == entry.value);
        let best = entries.iter().filter(is_left).filter_map(|entry| place(&entry)).min();
        let own = entries.iter().filter(is_left).filter(|entry| place(entry) == best);
        self.candidates(&own.copied().collect::<Vec<Entry>>(), values)
    }
}

fn candidate<'a>(entries: &[Entry], values: &'a [Box<str>]) -> Option<Candidate<'a>> {
    let id = entries.first()?.value;
    Some(Candidate {
        id,
        text: values.get(id as usize)?,
        count: entries.iter().map(|entry| u64::from(entry.count)).sum(),
        first: entries.iter().map(|entry| entry.first).min().unwrap_or(NEVER_FIRST),
        last: entries.iter().map(|entry| entry.last).max().unwrap_or(i64::MIN),
    })
}

/// Keeps those candidates that are best by a criterion that sources have no part in.
fn keep_best(left: &mut Vec<Candidate<'_>>, criterion: Criterion) {
    match criterion {
        Criterion::MostRecent => keep(left, |one| std::cmp::Reverse(one.last)),
        Criterion::MostFrequent => keep(left, |one| std::cmp::Reverse(one.count)),
        Criterion::SourcePriority => {}
        Criterion::Longest => keep(left, |one| std::cmp::Reverse(one.text.chars().count())),
        Criterion::First => keep(left, |one| one.first),
        Criterion::Value => {
            if let Some(best) = left.iter().map(|one| one.text).min() {
                left.retain(|one| one.text == best);
            }
        }
    }
}

fn keep<K: Ord>(left: &mut Vec<Candidate<'_>>, key: impl Fn(&Candidate<'_>) -> K) {
    if let Some(best) = left.iter().map(&key).min() {
        left.retain(|one| key(one) == best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: u32, source: u16, count: u32, times: (i64, i64)) -> Entry {
        Entry { customer: 1, value, source, count, first: times.0, last: times.1 }
    }

    #[test]
    fn criteria_decide_in_turn() {
        let values: Vec<Box<str>> = ["Ann", "Anna", "Bea"].map(Box::from).to_vec();
        let unknown = (NEVER_FIRST, i64::MIN);
        let entries = [entry(0, 0, 3, (10, 20)), entry(1, 1, 1, (5, 30)), entry(2, 1, 3, unknown)];
        let trusted = ["crm".to_owned()];
        let cases: [(Criterion, &[String], u32, &str); 7] = [
            (Criterion::MostRecent, &[], 1, "most_recent"),
            (Criterion::MostFrequent, &trusted, 0, "source_priority"),
            (Criterion::MostFrequent, &[], 0, "most_recent"),
            (Criterion::SourcePriority, &trusted, 0, "source_priority"),
            (Criterion::SourcePriority, &[], 1, "most_recent"),
            (Criterion::Longest, &[], 1, "longest"),
            (Criterion::First, &[], 1, "first"),
        ];
        for (first, sources, value, rule) in cases {
            let chosen = Rule::new(Some((first, sources)), &["crm", "shop"]);
            assert_eq!(
                chosen.choose(&entries, &values, &|_| false),
                Some((value, rule)),
                "{first:?}"
            );
        }
        let same = [entry(2, 0, 1, unknown), entry(0, 0, 1, unknown)];
        let rule = Rule::new(None, &["crm"]);
        assert_eq!(rule.choose(&same, &values, &|_| false), Some((0, "value")));
        assert_eq!(rule.choose(&same[..1], &values, &|_| false), Some((2, "only_value")));
        let blocked = |text: &str| text == "Anna";
        assert_eq!(rule.choose(&entries[1..], &values, &blocked), Some((2, "not_blocked")));
        assert_eq!(rule.choose(&entries, &values, &blocked), Some((0, "most_recent")));
        assert_eq!(rule.choose(&entries, &values, &|_| true), Some((1, "most_recent")));
        let pinned = [entry(0, 0, 9, (1, 9)), entry(2, PINNED, 0, unknown)];
        assert_eq!(rule.choose(&pinned, &values, &|_| false), Some((2, "pinned")));
    }
}
