//! Sampled pairs of every rule that could be used, and the choice among the rules.

use super::blocking::{Key, Part, Rule, block_end, entries};
use super::compare::vector;
use super::kernel::Kernel;
use super::prepared::Prepared;
use super::records::NULL;
use super::sample::{Couple, Histogram, allowed, block_pairs, in_parts};
use super::settings::Settings;
use super::weights::Weighing;

/// Pairs that a small set of records may have beside those per record.
pub(crate) const FREE_PAIRS: f64 = 200_000.0;
/// Records from which rules are judged.
const RECORDS: usize = 40_000;
/// Rules that a model has at most.
const MOST: usize = 24;
/// A rule must find a match among so many pairs that no rule before it yields, in sets of up to
/// [`SMALL`] records; a last match is worth fewer pairs in larger ones.
const PAIRS_PER_MATCH: f64 = 500.0;
const SMALL: f64 = 100_000.0;

/// Sampled pairs of one rule.
pub(crate) struct Sampled {
    pub(crate) rule: Rule,
    /// The keys of the rule, as bits.
    bits: u64,
    /// Pairs that each sampled one stands for.
    pub(crate) scale: f64,
    /// The vector of each sampled pair, and the keys that both records share, as bits.
    pub(crate) pairs: Vec<(u64, u64)>,
}

/// What is sampled, and by what.
pub(crate) struct Pool<'a> {
    prepared: &'a Prepared,
    settings: &'a Settings,
    keys: Vec<Key>,
    records: Vec<u32>,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(prepared: &'a Prepared, settings: &'a Settings, keys: Vec<Key>) -> Self {
        let len = prepared.len();
        let records = (0..len as u32).step_by(len.div_ceil(RECORDS).max(1)).collect();
        Self { prepared, settings, keys, records }
    }

    fn step(&self) -> f64 {
        self.prepared.len() as f64 / self.records.len().max(1) as f64
    }

    /// Entries of the records looked at, without blocks over the limit.
    fn entries(&self, rule: &Rule) -> Vec<u64> {
        let mut found = entries(rule, self.prepared, self.records.iter().copied());
        found.sort_unstable();
        found.dedup();
        let limit = (rule.limit(self.settings.block_limit) as f64 / self.step()).max(2.0);
        let (mut start, mut kept) = (0, 0);
        while start < found.len() {
            let end = block_end(&found, start);
            if (end - start) as f64 <= limit {
                found.copy_within(start..end, kept);
                kept += end - start;
            }
            start = end;
        }
        found.truncate(kept);
        found
    }

    /// The pairs that each key alone would yield, all blocks included.
    pub(crate) fn prices(&self) -> Vec<f64> {
        let price = |key: &Key| {
            let mut found =
                entries(&Rule { keys: vec![*key] }, self.prepared, self.records.iter().copied());
            found.sort_unstable();
            let mut pairs = 0.0;
            let mut start = 0;
            while start < found.len() {
                let end = block_end(&found, start);
                let size = (end - start) as f64;
                let word = key.part == Part::Word && size * self.step() > Rule::WORD_LIMIT as f64;
                pairs += if word { 0.0 } else { size * (size - 1.0) / 2.0 };
                start = end;
            }
            pairs * self.step() * self.step()
        };
        self.keys.iter().map(price).collect()
    }

    /// Samples pairs of a rule and compares them.
    pub(crate) fn sample(&self, rule: &Rule, count: usize, seed: u64) -> Sampled {
        let (mut pairs, total) = block_pairs(&self.entries(rule), count, seed);
        let scale = total * self.step() * self.step() / pairs.len().max(1) as f64;
        pairs.retain(|pair| allowed(self.prepared, self.settings.links, *pair));
        let parts = in_parts(&pairs, self.settings.threads, |pairs| {
            let mut kernel = Kernel::default();
            let compare =
                |(a, b): &Couple| (vector(self.prepared, *a, *b, &mut kernel), self.shared(*a, *b));
            pairs.iter().map(compare).collect::<Vec<_>>()
        });
        let bits = rule.keys.iter().filter_map(|key| self.keys.iter().position(|k| k == key));
        let bits = bits.fold(0, |bits, place| bits | 1 << place);
        Sampled { rule: rule.clone(), bits, scale, pairs: parts.into_iter().flatten().collect() }
    }

    /// The keys that two records share, as bits.
    fn shared(&self, a: u32, b: u32) -> u64 {
        let mut bits = 0;
        for (place, key) in self.keys.iter().enumerate() {
            bits |= u64::from(shares(self.prepared, *key, a, b)) << place;
        }
        bits
    }
}

fn shares(prepared: &Prepared, key: Key, a: u32, b: u32) -> bool {
    let (x, y) = (prepared.row(a)[key.field], prepared.row(b)[key.field]);
    if key.part != Part::Word {
        let hash = Rule::fact(prepared, prepared.row(a), key);
        return hash.is_some() && hash == Rule::fact(prepared, prepared.row(b), key);
    }
    if x == NULL || y == NULL {
        return false;
    }
    let values = prepared.values_of(key.field);
    let counts = &prepared.fields[key.field].word_counts;
    let rare = |token: &&u32| counts[**token as usize] as usize <= Rule::WORD_LIMIT;
    let mut tokens = values.tokens(x).iter().filter(rare);
    tokens.any(|token| values.tokens(y).binary_search(token).is_ok())
}

/// Chooses rules one by one: always the one with the most matches for its pairs that no rule
/// chosen before yields. Gives their places.
pub(crate) fn choose(
    pool: &[Sampled],
    weighing: &Weighing,
    odds: f64,
    settings: &Settings,
    len: usize,
) -> Vec<usize> {
    let weigh = |sampled: &Sampled| -> Vec<f64> {
        let p = |vector| 1.0 / (1.0 + (-odds - weighing.weight(vector, 0)).exp());
        sampled.pairs.iter().map(|(vector, _)| p(*vector)).collect()
    };
    let posteriors: Vec<Vec<f64>> = pool.iter().map(weigh).collect();
    let mut budget = (len * settings.pairs_per_record) as f64 + FREE_PAIRS;
    let mut chosen: Vec<usize> = Vec::new();
    let pairs_per_match = PAIRS_PER_MATCH * (SMALL / len as f64).min(1.0).powf(0.35);
    let mut found = 0.0;
    while chosen.len() < MOST {
        let mut best: Option<(f64, usize, f64, f64)> = None;
        for (place, sampled) in pool.iter().enumerate() {
            let new = |bits: u64| !chosen.iter().any(|c| pool[*c].bits & bits == pool[*c].bits);
            let (mut pairs, mut matches) = (0.0, 0.0);
            for ((_, bits), p) in sampled.pairs.iter().zip(&posteriors[place]) {
                if new(*bits) {
                    pairs += sampled.scale;
                    matches += p * sampled.scale;
                }
            }
            let worth = matches / (pairs + len as f64 * 0.2);
            let good = matches * pairs_per_match > pairs && pairs <= budget;
            if good && best.is_none_or(|(most, ..)| worth > most) {
                best = Some((worth, place, pairs, matches));
            }
        }
        let Some((_, place, pairs, matches)) = best else { break };
        if matches < found * 2e-4 || matches < 0.5 {
            break;
        }
        found += matches;
        budget -= pairs;
        chosen.push(place);
    }
    chosen
}

/// The share of matches among all possible pairs: a fixed point over the pairs of the rules.
pub(crate) fn share(pool: &[Sampled], chosen: &[usize], weighing: &Weighing, possible: f64) -> f64 {
    let mut weighed: Vec<(f64, f64)> = Vec::new();
    for (at, place) in chosen.iter().enumerate() {
        let sampled = &pool[*place];
        for (vector, bits) in &sampled.pairs {
            let before = chosen[..at].iter().any(|c| pool[*c].bits & bits == pool[*c].bits);
            if !before {
                weighed.push((sampled.scale, weighing.weight(*vector, 0)));
            }
        }
    }
    let mut lambda: f64 = (1e-3f64).min(0.1);
    for _ in 0..25 {
        let odds = (lambda / (1.0 - lambda)).ln();
        let matches: f64 = weighed.iter().map(|(scale, w)| scale / (1.0 + (-odds - w).exp())).sum();
        lambda = (matches / possible).clamp(0.5 / possible.max(4.0), 0.3);
    }
    lambda
}

/// How often each vector occurs among the sampled pairs.
pub(crate) fn histogram(sampled: &Sampled) -> Histogram {
    let mut vectors: Vec<u64> = sampled.pairs.iter().map(|(vector, _)| *vector).collect();
    vectors.sort_unstable();
    let mut histogram: Histogram = Vec::new();
    for vector in vectors {
        match histogram.last_mut() {
            Some((last, count)) if *last == vector => *count += 1.0,
            _ => histogram.push((vector, 1.0)),
        }
    }
    histogram
}
