//! Candidate pairs, weighed.

use super::blocking::{Blocks, block_end};
use super::compare::{level_of, levels, vector, with_swap};
use super::em::level;
use super::kernel::Kernel;
use super::model::{Model, Weights};
use super::prepared::Prepared;
use super::records::NULL;
use super::rivals;
use super::sample::{Couple, allowed, in_parts};

/// Two records that may be one entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The lower record.
    pub a: u32,
    /// The higher record.
    pub b: u32,
    /// The match weight: log2 of the odds, prior included.
    pub weight: f32,
    /// What the odds lose, in bits, to pairs that exclude this one; 0 where there are none.
    pub rivals: f32,
    /// The level of each comparison, four bits each, the first comparison lowest.
    pub vector: u64,
}

impl Pair {
    /// The probability that both are one entity, and not one of them with a rival of the other.
    pub fn probability(&self) -> f64 {
        1.0 / (1.0 + f64::from(self.rivals - self.weight).exp2())
    }
}

/// What one comparison says of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The comparison's name.
    pub comparison: String,
    /// The level; 0 when a value is missing.
    pub level: u32,
    /// What the level says.
    pub label: &'static str,
    /// log2(m / u) of the level.
    pub weight: f32,
    /// What is added because the value is rarer than usual, or taken away because it is more
    /// common, or follows from other agreement.
    pub rarity: f32,
}

/// All candidate pairs of a probability of at least `threshold`, by rule and block.
pub fn predict(prepared: &Prepared, model: &Model, threshold: f64, threads: usize) -> Scored {
    let weights = Weights::of(model);
    let least = (threshold / (1.0 - threshold)).log2() as f32;
    let mut scored = Scored::default();
    let mut before: Vec<Blocks> = Vec::new();
    for rule in &model.rules {
        let blocks = Blocks::new(rule, prepared, model.block_limit);
        let starts = starts(&blocks.entries);
        let parts = in_parts(&starts, threads, |starts| {
            let mut part = Scored::default();
            let mut scorer = Scorer::new(prepared, model, &weights, least);
            for start in starts {
                let end = block_end(&blocks.entries, *start);
                scorer.block(&blocks, &before, (*start, end), &mut part);
            }
            part
        });
        for part in parts {
            scored.pairs.extend(part.pairs);
            scored.candidates += part.candidates;
        }
        before.push(blocks);
    }
    rivals::weigh(prepared, model.links, &mut scored.pairs);
    scored
}

/// What [`predict`] found.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// The pairs that reach the threshold.
    pub pairs: Vec<Pair>,
    /// How many pairs were compared.
    pub candidates: u64,
}

fn starts(entries: &[u64]) -> Vec<usize> {
    let changes = entries.windows(2).enumerate().filter(|(_, w)| w[0] >> 32 != w[1] >> 32);
    let rest = changes.map(|(place, _)| place + 1);
    std::iter::once(0).filter(|_| !entries.is_empty()).chain(rest).collect()
}

/// Compares pairs one after the other, and stops early where the threshold is out of reach.
pub(crate) struct Scorer<'a> {
    prepared: &'a Prepared,
    model: &'a Model,
    weights: &'a Weights,
    least: f32,
    /// The best that each field can add when the values are not the same, never under 0.
    best: Vec<f32>,
    kernel: Kernel,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(
        prepared: &'a Prepared,
        model: &'a Model,
        weights: &'a Weights,
        least: f32,
    ) -> Self {
        let best = weights.levels.iter().zip(&prepared.fields).map(|(row, field)| {
            row[1..levels(field.meaning).len()].iter().copied().fold(0.0, f32::max)
        });
        let best = best.collect();
        Self { prepared, model, weights, least, best, kernel: Kernel::default() }
    }

    fn block(
        &mut self,
        blocks: &Blocks,
        before: &[Blocks],
        place: (usize, usize),
        out: &mut Scored,
    ) {
        let entries = &blocks.entries[place.0..place.1];
        let Some(key) = entries.first().map(|entry| (entry >> 32) as u32) else { return };
        for (at, second) in entries.iter().enumerate() {
            let b = (second & 0xFFFF_FFFF) as u32;
            for first in &entries[..at] {
                let a = (first & 0xFFFF_FFFF) as u32;
                let new = allowed(self.prepared, self.model.links, (a, b))
                    && blocks.shared(a, b) == key
                    && before.iter().all(|blocks| blocks.shared(a, b) == 0);
                if new {
                    out.candidates += 1;
                    out.pairs.extend(self.score((a, b)));
                }
            }
        }
    }

    /// The pair, when it reaches the threshold.
    pub(crate) fn score(&mut self, (a, b): Couple) -> Option<Pair> {
        let (x, y) = (self.prepared.row(a), self.prepared.row(b));
        let mut sum = self.weights.prior;
        let mut packed = 0u64;
        let mut hope = 0.0;
        for field in 0..x.len() {
            if x[field] == y[field] && x[field] != NULL {
                let level = level_of(self.prepared, field, (x[field], y[field]), &mut self.kernel);
                packed |= u64::from(level) << (4 * field);
                let top = usize::from(level);
                sum += self.weights.same(self.prepared, field, x[field], top);
            } else {
                hope += self.best[field];
            }
        }
        if sum + hope < self.least {
            return None;
        }
        for field in 0..x.len() {
            if x[field] != y[field] {
                let level = level_of(self.prepared, field, (x[field], y[field]), &mut self.kernel);
                packed |= u64::from(level) << (4 * field);
            }
        }
        let vector = with_swap(self.prepared, (x, y), packed);
        let weight = self.weights.prior + self.weights.total(self.prepared, (a, b), vector);
        (weight >= self.least).then_some(Pair { a, b, weight, rivals: 0.0, vector })
    }
}

/// What each comparison says of two records.
pub fn explain(prepared: &Prepared, model: &Model, a: u32, b: u32) -> Vec<Reason> {
    let weights = Weights::of(model);
    let (a, b) = (a.min(b), a.max(b));
    let vector = vector(prepared, a, b, &mut Kernel::default());
    let mut reasons = Vec::with_capacity(model.comparisons.len());
    weights.parts(prepared, (a, b), vector, |field, weight, rarity| {
        let comparison = &model.comparisons[field];
        let level = level(vector, field);
        let labels = levels(comparison.meaning);
        reasons.push(Reason {
            comparison: comparison.name.clone(),
            level: level as u32,
            label: level.checked_sub(1).map_or("missing", |level| labels[level].label),
            weight,
            rarity,
        });
    });
    reasons
}
